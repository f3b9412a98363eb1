"""Settings: what is refused, what is read from where, and what is never shown."""

import logging
import traceback
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from graph.deps import open_deps
from graph.settings import OPENROUTER_URL, Settings, load_settings
from tests.scripted_model import ScriptedModel
from tools.embedded.parts import parts_status
from tools.errors import DatabaseUnavailable, SettingInvalid

SECRETS = {
    "DATABASE_URL": "postgresql://app:hunter2secret@db.example/offers",
    "OPENROUTER_API_KEY": "sk-or-hunter2secret",
    "TOKEN_SECRET": "hunter2secret-of-tokens",
}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run each test in an empty folder with no setting in the environment."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "70000", "less than or equal to 65535"),
        ("PORT", "http", "valid integer"),
        ("MIN_CONFIDENCE_SCORE", "1.5", "less than or equal to 1"),
        ("MIN_CONFIDENCE_SCORE", "high", "valid number"),
        ("MAX_OFFERS_PER_MONTH", "-1", "greater than or equal to 0"),
        ("MAX_REVISIONS", "11", "less than or equal to 10"),
        ("LLM_TIMEOUT_S", "0", "greater than 0"),
        ("LLM_MAX_CONCURRENCY", "0", "greater than or equal to 1"),
        ("LLM_BASE_URL", "localhost:8080", "^https?://"),
        ("RUN_DEADLINE_S", "never", "valid number"),
        ("COPY_MODE", "wild", "'auto', 'select' or 'compose'"),
        ("CARDMEMBER_TABLE", "members; drop table x", "pattern"),
        ("CHROMA_URL", "chroma.example", "^https?://"),
        ("BRAND_TIME_ZONE", "Mars/Olympus", "an IANA time zone name, for example America/New_York"),
        ("BRAND_TIME_ZONE", "../etc/passwd", "an IANA time zone name, for example America/New_York"),
        ("BRAND_SITE", "http://insecure.example", "^https://"),
        ("BRAND_SENDER_ADDRESS", "nobody", "pattern"),
        ("HOST", "", "at least 1 character"),
        ("ATTESTATIONS", "not json", "Expecting value"),
    ],
)
def test_a_bad_value_stops_the_start_with_name_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingInvalid) as refused:
        load_settings()
    said = str(refused.value)
    assert said.startswith(f"{name} is {value!r}; allowed: ")
    assert allowed in said
    description = Settings.model_fields[name.lower()].description
    assert description is not None and said.endswith(description)


def test_every_bad_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "x")
    monkeypatch.setenv("MAX_REVISIONS", "y")
    with pytest.raises(SettingInvalid) as refused:
        load_settings()
    assert [line.split()[0] for line in str(refused.value).splitlines()] == ["MAX_REVISIONS", "PORT"]


def test_an_attestation_says_which_part_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTESTATIONS", '{"account_standing": {"by": "A. Officer", "until": "someday"}}')
    with pytest.raises(SettingInvalid, match=r"ATTESTATIONS\.ACCOUNT_STANDING\.UNTIL is 'someday'; allowed: "):
        load_settings()


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("not json", "API_PRINCIPALS is a secret; allowed: "),
        ('[{"name": "A", "roles": [], "token_sha256": "the-token"}]', "API_PRINCIPALS.0.TOKEN_SHA256 is a secret"),
        (f'[{{"name": "A", "token_sha256": "{"0" * 64}"}}, {{"name": " a", "token_sha256": "{"1" * 64}"}}]', "1.NAME"),
        (
            f'[{{"name": "A", "token_sha256": "{"0" * 64}"}}, {{"name": "a", "token_sha256": "{"1" * 64}"}}]',
            "a name of",
        ),
        (
            f'[{{"name": "A", "token_sha256": "{"0" * 64}"}}, {{"name": "B", "token_sha256": "{"0" * 64}"}}]',
            "token_sha",
        ),
    ],
)
def test_a_bad_principal_is_named_and_what_may_be_a_token_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, value: str, named: str
) -> None:
    monkeypatch.setenv("API_PRINCIPALS", value)
    with pytest.raises(SettingInvalid) as refused:
        load_settings()
    said = str(refused.value)
    assert named.lower() in said.lower()
    assert "the-token" not in said and "000" not in said


def test_an_endpoint_needs_its_models_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("LLM_BASE_URL", "http://127.0.0.1:1/v1"), ("OPENROUTER_API_KEY", "k")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            with pytest.raises(SettingInvalid, match="OPENROUTER_MODEL is empty; allowed: the model's name"):
                load_settings()


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OPENROUTER_MODEL", "m")
    settings = load_settings()
    logging.getLogger("tests").warning("settings: %s %r", settings, settings)
    shown = [repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json(), caplog.text]
    assert all("hunter2" not in text for text in shown)
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == SECRETS["DATABASE_URL"]


@pytest.mark.parametrize("name", SECRETS)
def test_an_error_never_shows_a_secret(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong: Any = {"wrong": SECRETS["TOKEN_SECRET"]}
    monkeypatch.setenv("PORT", "x")
    with pytest.raises(SettingInvalid) as refused:
        load_settings(**{name.lower(): wrong})
    said = "".join(traceback.format_exception(refused.value))
    assert f"{name} is a secret; allowed: " in said
    assert "hunter2" not in said


@pytest.mark.parametrize("value", ["hunter2", "mysql://app:hunter2@db.example/x", "postgresql://app:hunter2@[::1/x"])
def test_a_connection_string_that_is_none_is_refused_without_being_shown(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", value)
    with pytest.raises(SettingInvalid, match=r"^DATABASE_URL is a secret; allowed: postgresql://user:") as refused:
        load_settings()
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))


async def test_a_database_that_is_down_is_named_without_its_password(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_settings(database_url="postgresql://app:hunter2secret@127.0.0.1:1/x", data_dir=tmp_path)
    deps = await open_deps(settings)
    with pytest.raises(DatabaseUnavailable) as unavailable:
        await deps.members.load("U")
    await deps.aclose()
    assert "does not answer" in str(unavailable.value)
    assert "hunter2" not in str(unavailable.value) + caplog.text
    assert "127.0.0.1" in caplog.text


def test_every_setting_that_is_a_secret_is_held_as_one() -> None:
    secret = {name.upper() for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert secret == set(SECRETS)


def test_the_env_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "PORT=9100\nBRAND_ISSUER='Example Bänk'\nDATABASE_URL=\nUNKNOWN_SETTING=1\n"
        'ATTESTATIONS={"account_standing": {"by": "A. Officer", "until": "2027-06-30"}}\n'
        "BRAND_ALLOWED_HOSTS=a.example, b.example,\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("MAX_REVISIONS", "5")
    settings = load_settings()
    assert (settings.port, settings.brand_issuer, settings.max_revisions) == (9100, "Example Bänk", 5)
    assert settings.database_url is None  # an empty line is no setting
    assert settings.attestations["account_standing"].by == "A. Officer"
    assert settings.brand_allowed_hosts == ("a.example", "b.example")
    monkeypatch.setenv("PORT", "9200")
    assert load_settings().port == 9200


def test_a_bad_value_in_the_env_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=ninety\n", encoding="utf-8")
    with pytest.raises(SettingInvalid, match="PORT is 'ninety'; allowed: "):
        load_settings()


def test_nothing_configured_means_every_embedded_part() -> None:
    settings = load_settings()
    assert settings.database_url is None
    assert settings.embedded_model
    assert settings.effective_copy_mode == "select"
    assert settings.model_name == "smollm2-135m-instruct"
    assert settings.chroma_folder == settings.data_dir / "chroma"
    assert set(settings.effective_attestations) == {
        *("account_standing", "complaint_rate", "sender_authentication"),
        *("push_consent", "sms_consent"),
    }
    assert (settings.host, settings.port) == ("127.0.0.1", 9000)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"llm_base_url": "http://127.0.0.1:8099/v1"}, "http://127.0.0.1:8099/v1"),
        ({"openrouter_api_key": "k"}, OPENROUTER_URL),
        ({"openrouter_api_key": "k", "llm_base_url": "https://llm.example/v1"}, "https://llm.example/v1"),
    ],
    ids=["endpoint", "openrouter", "both"],
)
def test_a_configured_endpoint_is_used_and_may_write(given: dict[str, Any], url: str) -> None:
    settings = load_settings(openrouter_model="vendor/model", **given)
    assert (settings.embedded_model, settings.model_name, settings.model_url) == (False, "vendor/model", url)
    assert settings.effective_copy_mode == "compose"
    assert load_settings(openrouter_model="m", copy_mode="select", **given).effective_copy_mode == "select"


def test_members_of_a_configured_database_need_an_officer_who_answers_for_their_standing() -> None:
    settings = load_settings(database_url="postgresql://db.example/x")
    assert settings.effective_attestations == {}


def test_settings_can_not_change_after_the_start() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


async def test_configured_parts_keep_the_embedded_ones_from_starting(
    database_url: str, script: ScriptedModel, tmp_path: Path
) -> None:
    settings = load_settings(
        database_url=SecretStr(database_url),
        llm_base_url=script.base_url,
        openrouter_model="scripted",
        data_dir=tmp_path / "data",
    )
    deps = await open_deps(settings)
    assert await deps.members.load("NOBODY") is None
    await deps.model.probe()
    await deps.aclose()
    assert [path.name for path in settings.data_dir.iterdir()] == ["token-secret"]
    assert [(part.running, part.server_pid) for part in parts_status(settings.data_dir)] == [(False, None)] * 2
    assert [path.name for path in settings.data_dir.iterdir()] == ["token-secret"]
