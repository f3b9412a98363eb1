import pytest

from tools.errors import InputInvalid
from tools.load.rejects import ROW


async def test_lines_are_those_an_editor_shows(load, held, good, csv_text, rejects) -> None:
    rows = [
        {**good, "user_id": "A", "name": 'Two\nlines, "quoted"'},
        {**good, "user_id": "B", "age": "x"},
        {**good, "user_id": "C", "name": "One\r\nTwo\r\nThree", "gender": "x"},
        {**good, "user_id": "D", "age": "y"},
    ]
    report = await load(csv_text(*rows, end="\r\n"))
    assert [(line, column) for line, column, _, _ in rejects(report)] == [(4, "age"), (5, "gender"), (8, "age")]
    assert held()["A"]["name"] == 'Two\nlines, "quoted"'


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
async def test_any_line_end_a_byte_order_mark_and_blank_lines_are_read(
    load, held, good, csv_text, rejects, end
) -> None:
    text = csv_text({**good, "user_id": "A"}, {**good, "user_id": "B", "age": "x"}, end=end)
    header, first, second = text.split(end)[:3]
    report = await load(f"\ufeff{header}{end}{end}{first}{end}{end}{second}")
    assert list(held()) == ["A"]
    assert rejects(report) == [(5, "age", "x", "not a whole number")]


async def test_columns_may_come_in_any_order(load, held, good, csv_text) -> None:
    await load(csv_text(good, header=tuple(reversed(good))))
    assert held()[good["user_id"]]["name"] == "Grace Okafor"


@pytest.mark.parametrize("damage", [lambda line: line + ",extra", lambda line: line.rsplit(",", 3)[0]])
async def test_a_row_of_another_width_is_rejected_whole(load, held, good, csv_text, rejects, damage) -> None:
    header, bad, fine = csv_text({**good, "user_id": "A"}, {**good, "user_id": "B"}).splitlines()
    report = await load("\n".join([header, damage(bad), fine]))
    assert list(held()) == ["B"]
    ((line, column, value, reason),) = rejects(report)
    assert (line, column, value[:2]) == (2, ROW, "A,")
    assert reason.startswith("expected 40 values, found ")


async def test_an_unclosed_quote_costs_its_own_row_only(load, held, good, csv_text, rejects) -> None:
    header, *lines = csv_text(*({**good, "user_id": user_id} for user_id in "ABCDE")).splitlines()
    lines[1] = lines[1].replace("Grace Okafor", '"Grace Okafor')
    lines[4] = lines[4].replace("Grace Okafor", '"Grace Okafor')
    report = await load("\n".join([header, *lines]))
    assert sorted(held()) == ["A", "C", "D"]
    assert [(line, column) for line, column, _, _ in rejects(report)] == [(3, ROW), (6, ROW)]
    assert all(reason.startswith("misplaced quote") for *_, reason in rejects(report))


async def test_a_quote_still_open_at_the_end_of_the_file_is_reported(load, held, good, csv_text, rejects) -> None:
    text = csv_text({**good, "user_id": "A"}, {**good, "user_id": "B", "location": "x"})
    report = await load(text.replace(",x,", ',"x,'))
    assert list(held()) == ["A"]
    assert rejects(report) == [(3, ROW, "", "a quote is opened and never closed")]


async def test_many_unclosed_quotes_still_end(load, held, good, csv_text, rejects) -> None:
    header, line = csv_text(good).splitlines()
    broken = line.replace("Grace Okafor", '"Grace Okafor').replace('"Chicago, IL"', "Chicago")
    report = await load("\n".join([header, *[broken] * 300, line]))
    assert (report.inserted, report.rows_rejected) == (1, 300)


async def test_nul_bytes_and_overlong_values_are_rejected(load, held, good, csv_text, rejects) -> None:
    rows = [
        {**good, "user_id": "A", "name": "nul\x00"},
        {**good, "user_id": "B", "location": "x" * 201},
        {**good, "user_id": "C", "location": "y" * 200_000},
        {**good, "user_id": "D"},
    ]
    report = await load(csv_text(*rows))
    assert list(held()) == ["D"]
    assert [(line, column, reason) for line, column, _, reason in rejects(report)] == [
        (2, "name", "holds a NUL byte"),
        (3, "location", "longer than 200 characters"),
        (4, ROW, "a value is longer than 131072 characters"),
    ]
    assert all(len(value) <= 200 for _, _, value, _ in rejects(report))


async def test_header_faults_are_one_message_that_names_them_all(load, held, good, csv_text) -> None:
    header = csv_text(good).replace("persona", "Personna").replace("age,gender", "age,age")
    with pytest.raises(InputInvalid) as caught:
        await load(header)
    message = str(caught.value)
    assert "members.csv: the header has columns missing: 'gender', 'persona'" in message
    assert "unknown: 'Personna'; repeated: 'age'" in message
    assert "Expected the 40 columns user_id, name, age" in message
    assert "'Personna' for 'persona'" in message
    assert held() == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the first line is empty"),
        (b"\n", "the first line is empty"),
        (b"user_id;name;age\nA;B;3\n", "Separate the values with commas"),
        ("user_id,name".encode("utf-16"), "the file is UTF-16; save it as UTF-8"),
        (b'"user_id', "the header can't be read"),
        (b"PK\x03\x04\xff\xfe", "not UTF-8"),
    ],
)
async def test_what_is_no_csv_of_members_is_refused_clearly(load, content, message) -> None:
    with pytest.raises(InputInvalid, match=message):
        await load(content)


async def test_a_wrong_encoding_names_line_and_byte_and_loads_nothing(load, held, good, csv_text) -> None:
    text = csv_text(*({**good, "user_id": f"U{place}"} for place in range(500)), {**good, "name": "Zoë"})
    with pytest.raises(InputInvalid, match=r"line 502: byte 0xeb at position \d+ is not UTF-8.*Windows-1252"):
        await load(text.encode("cp1252"))
    assert held() == {}


async def test_a_header_alone_loads_no_rows(load, csv_text) -> None:
    report = await load(csv_text())
    assert (report.rows_read, report.rows_loaded, report.rejects_path) == (0, 0, None)


async def test_hostile_text_is_stored_as_it_is(load, held, good, csv_text) -> None:
    names = [
        "Robert'); DROP TABLE cardmember;--",
        "\\.",
        "\\N",
        "{{ 7*7 }}",
        "\u202egnp.exe",
        "=1+1",
        '"',
        "\u00a0x\u200b",
    ]
    await load(csv_text(*({**good, "user_id": f"U{place}", "name": name} for place, name in enumerate(names))))
    assert [held()[f"U{place}"]["name"] for place in range(7)] == names[:7]
    assert held()["U7"]["name"] == "x\u200b"
