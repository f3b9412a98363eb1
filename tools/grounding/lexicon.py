"""Words that copy writes with a capital without naming a merchant, and words that merchants' names are made of."""

from typing import Final

from tools.grounding.timewords import MONTHS, WEEKDAYS
from tools.grounding.tokens import listed

TERMS: Final = frozenset(
    listed("""
    card cards cardmember cardmembers member members account basic blue green silver gold platinum travel dining
    electronics business services retail entertainment terms conditions offer offers points point apr us usa usd
    dc et est edt pt pst ct cst eastern pacific central rates fees pricing credit statement membership rewards
    reward bonus i i'm i'll i've english christmas thanksgiving hanukkah easter halloween valentine's new year
    year's eve labor memorial independence veterans black friday cyber monday tv tvs pc pcs ai usb wi fi wifi
    faq faqs id pin qr app ok vip u s a p m d c x b aprs super bowl mother's father's valentine oktoberfest
    ramadan diwali broadway hollywood olympics oscars o'clock advertisement america american united states
    puerto rico north south east west international prime rate index
    """)
) | frozenset({*MONTHS, *WEEKDAYS})
"""Card types, domains, the calendar and offer terms: capitals that are house style."""

PLACES: Final = frozenset(
    listed("""
    san santa los las fort alabama alaska arizona arkansas california carolina colorado connecticut dakota
    delaware florida georgia hawaii idaho illinois indiana iowa kansas kentucky louisiana maine maryland
    massachusetts michigan minnesota mississippi missouri montana nebraska nevada hampshire jersey mexico york
    ohio oklahoma oregon pennsylvania rhode island tennessee texas utah vermont virginia washington wisconsin
    wyoming guam canada europe asia africa paris london rome tokyo italy france spain caribbean orlando miami
    chicago boston seattle denver dallas houston phoenix atlanta vegas francisco angeles diego napa sonoma aspen
    maui honolulu oahu kauai cancun tulum cabo lisbon porto seoul kyoto osaka madrid barcelona seville milan
    venice florence naples tuscany amalfi sicily athens santorini mykonos dublin edinburgh scotland ireland
    wales england britain berlin munich vienna zurich geneva prague budapest amsterdam brussels copenhagen
    stockholm oslo helsinki iceland reykjavik istanbul dubai doha cairo morocco marrakech kenya bangkok thailand
    bali singapore vietnam hanoi taipei shanghai beijing hong kong sydney melbourne auckland zealand australia
    brazil rio janeiro buenos aires argentina chile peru lima machu picchu bogota colombia costa jamaica aruba
    bahamas nassau barbados bermuda montreal toronto vancouver quebec calgary banff acapulco savannah charleston
    nashville memphis orleans austin antonio portland sacramento tahoe monica malibu palm scottsdale sedona moab
    yosemite yellowstone hamptons brooklyn manhattan bronx queens harlem philadelphia pittsburgh cleveland
    detroit milwaukee minneapolis louis baltimore charlotte raleigh tampa alps rockies riviera provence bordeaux
    cannes normandy atlantic
    """)
)
"""Places that travel copy names."""

COMMON: Final = frozenset(
    listed("""
    a about activate italian french spanish mexican chinese japanese thai indian greek korean european asian
    mediterranean cajun bluetooth internet add after again ahead all allow also always an and another any anywhere
    apply are around art as at away back be beat because before begin benefits best better big bigger bill bite bites
    book books bowl break breakfast bring brunch build but buy buying by call can cart cash celebrate change checkout
    choice choose classic click coffee collect comes comfort comforts count cozy course cravings credited dad date day
    days deal deals delicious dibs dine dinner discover dish dishes do done don't double down drive each early earn
    earned eat end ends enjoy enroll enrolled enrollment every everyday everything excludes expires explore extra fall
    family fast favorite favorites feast find fine first flavor flight flights food for fork free fresh friends from
    front full fun game gear get getaway gift gifts give go good great grocery group half happy hard have headline
    here hi hello dear high holiday holidays home hotel hotels hour hours how hungry idea if in including indulge
    inside is it it's its join journey just keep kick kitchen know last later laptop learn less let let's life light
    like limit limited list live local long look lounge love lunch make many map matter maximum may maybe me meal
    meals meet menu mind minimum moment moments money month more most mom movie movies music must my need needed nice
    night nights no not nothing notice now of off office on once one online only open or order orders our out over own
    pack pair partner partners party pasta pay payment people perfect perks phone pick plan plans plate plates play
    please plus post posted power powered prices prime purchase purchases put ready reason reasons redeem refresh
    register remember rent reserve reservation restaurant restaurants rewarded right road room row run sale save
    savings savor savvy say screen screens season seasons seat seats see select serve served set share shine shop
    shopping show shows sign simple sip sit sleep small smart smile so social software some something soon special
    spend split spot spots spring start starts stay stays step steps stock stop store stores stream style summer
    sunday sweet table tables tacos take taste tastes team tech text than thank thanks that the their then there these
    they thing things this three through ticket tickets time times tip to today together tonight too tools top total
    treat treats tree trip trips triple try turn twice two under until up upgrade use used using valid value view
    visit wait walk want was watch way ways we week weekend welcome well what when where while who why will wine
    winter wish with within without work works world worth would yes yet you you'll you're you've your yourself
    reserved preview screenings presales december's wardrobe looks cooler warmer easy easier night's participating
    eligible qualifying selected featured listed included below above additional details rules exclusions questions
    subject act ship shipping delivery pickup ride rides bags bag luggage beach mountain city coast sun snow sky
    table's chef chefs cuisine bistro appetite craving guests guest dates tastier brighter bold level next level-up
    bonus triple-point quadruple ten five six seven eight nine twelve fifteen twenty thirty forty fifty hundred
    thousand percent dollar dollars buck bucks cap fulfillment channel redeemable void prohibited law eligibility
    period definitions how-to only's unlock maximize pocket score stack swap switch streamline simplify supercharge
    recharge relax rest dream wander roam escape adventure adventures vacation device devices gadget gadgets laptops
    phones cameras headphones connect connected subscribe subscription streaming concert concerts theater theaters
    film films popcorn stage laugh sing dance cheer games toast dine-in takeout crave sizzle brew grab refuel fuel
    whole please deserve deserves hungry awaits inside
    supper club vibes fries breadsticks ramen bouquet bouquets roses tulips flowers denim knits sparkle boots skirts
    sweaters coats jeans shirts tees hoodies khakis sneakers heels frames lenses glasses speaker speakers monitor
    monitors keyboards webcams cables yoga sunrise sunset midnight noon weeknight weeknights midweek kid kids gang crew
    squad buddy grandma grandpa grandparents parents sister brother wheels deck jet bundle head wherever hunger snack
    snacks slurp slice slices dip dips twirl linger unwind gather saucy crispy cheesy spicy tangy juicy gooey zesty
    smoky buttery flaky fluffy toasty grilled baked fried roasted smoked braised seared house specials edit pick picks
    picked meet greet o'clock epic magic stellar shelf help curl classics chapter chapters page pages story stories
    novel novels author authors encore popping buzz hooray wow yum delish chill chilly warm warmth cool cold hot heat
    frosty sunny rainy breezy golden silver merry jolly bright glow glowing festive snug soft softer bolder big local
    corner block hub nook patio rooftop poolside fireside roadside countdown kickoff opening closing premiere premieres
    finale matinee comedy drama sequel soundtrack playlist vinyl tour tours festival festivals arena stadium court
    lineup headliner opener backstage indeed ultimate essential essentials weekday weekdays nightly daily weekly monthly
    yearly swipe scan goodbye cheers bravo congrats oh hey psst attention introducing announcing presenting featuring
    starring forever never sometimes often again finally lastly shoes clothes closet decor sofa couch lamp lamps rug
    rugs pillow pillows towels bath bed beds cookware garden gardens lawn paint tools appliances fridge oven grills
    feed nourish book-now wonder winning rewarding spending dining's
    """)
)
"""Ordinary words of advertising copy, for lines written in title case and for the first word of a sentence."""

NAME_WORDS: Final = frozenset(
    listed(
        """
    superstore superstores emporium boutique trattoria ristorante pizzeria cantina taqueria brasserie bistro grille
    grill diner tavern steakhouse eatery bakery bakeshop cafe caffe pub brewery deli hotels hotel resort resorts inn
    suites airlines airways cruises outfitters books bookstore bookshop market markets mart outlet outlets pharmacy
    cinemas theatres theatre games studios motors rentals inc llc ltd corp co gmbh store stores shop shack house
    mercantile apparel jewelers furniture
    """
    )
)
"""Words that make the capitals before them a merchant's name."""

ORDINARY_NAMES: Final = frozenset(
    listed(
        """
    budget national enterprise gap target zoom slack indeed staples quill steam regal dell ups apple amazon delta
    united american southwest chase discover capital sprint shell subway express visible square ring nest bolt root
    jet hulu adobe indigo gap's limited guess coach fossil diesel buckle torrid anthem
    """
    )
)
"""One-word names that are words of English: they count only where the sentence treats them as a name."""

SUFFIXES: Final = ("ing", "ed", "ly", "ful", "ness", "tion", "tions", "ment", "ments", "able", "ible", "less", "ous")
"""Endings of ordinary words that lists never finish."""
