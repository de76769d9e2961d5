"""Names, places and rates of eleven countries, from which the sandbox company is made up."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Town:
    """A real town with its region and one of its postal codes."""

    city: str
    region: str
    postal_code: str


@dataclass(frozen=True)
class Country:
    """Everything needed to invent a company and its people in one country."""

    code: str
    currency: str
    tax_pct: Decimal
    dialling_code: str
    legal_forms: tuple[str, ...]
    stems: tuple[str, ...]
    trades: tuple[str, ...]
    streets: tuple[str, ...]
    towns: tuple[Town, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    """Split a list written with commas."""
    return tuple(word.strip() for word in text.split(","))


def _towns(text: str) -> tuple[Town, ...]:
    """Read towns written as city/region/postal code."""
    return tuple(Town(*(part.strip() for part in town.split("/"))) for town in text.split(";"))


COUNTRIES = (
    Country(
        "DE",
        "EUR",
        Decimal(19),
        "+49",
        _words("GmbH, AG, GmbH & Co. KG, KG"),
        _words("Müller, Schäfer, Weiß, Großmann, Hübner, Brandt, Lindner, Köhler, Vogt, Böttcher"),
        _words("Maschinenbau, Werkzeugtechnik, Anlagenbau, Messtechnik, Antriebe, Laborbedarf"),
        _words("Industriestraße, Gewerbering, Hafenstraße, Lindenweg, Am Bahnhof, Königsallee"),
        _towns(
            "Hamburg/Hamburg/20457; München/Bayern/80331; Köln/Nordrhein-Westfalen/50667;"
            "Stuttgart/Baden-Württemberg/70173; Leipzig/Sachsen/04109"
        ),
        _words("Jürgen, Katrin, Björn, Anneliese, Sören, Ute, Matthias, Heike"),
        _words("Schröder, Weiß, Krüger, Bäcker, Hoffmann, Jäger, Möller, Götz"),
    ),
    Country(
        "FR",
        "EUR",
        Decimal(20),
        "+33",
        _words("SARL, SAS, S.A."),
        _words("Lefèvre, Bélanger, Dumoulin, Chevalier, Garnier, Rivière, Moreau, Fournier, Noël"),
        _words("Mécanique, Équipements, Outillage, Instruments, Énergie, Emballages"),
        _words("Rue de la République, Avenue Foch, Boulevard Voltaire, Rue des Forges, Quai Sud"),
        _towns(
            "Lyon/Auvergne-Rhône-Alpes/69002; Paris/Île-de-France/75011;"
            "Nantes/Pays de la Loire/44000; Besançon/Bourgogne-Franche-Comté/25000"
        ),
        _words("Hélène, François, Céline, Jérôme, Chloé, André, Solène, Gaël"),
        _words("Dubois, Lefèbvre, Gérard, Fontaine, Béranger, Châtelain, Perrot, Noël"),
    ),
    Country(
        "SE",
        "SEK",
        Decimal(25),
        "+46",
        _words("AB, Aktiebolag, HB"),
        _words(
            "Söderberg, Lindström, Åkesson, Björk, Västerås, Hällström, Nyström, Öberg, Granlund"
        ),
        _words("Verkstad, Mekaniska, Industri, Teknik, Elektronik, Bygg"),
        _words("Storgatan, Hamngatan, Industrivägen, Kungsgatan, Björkvägen, Drottninggatan"),
        _towns(
            "Göteborg/Västra Götaland/411 03; Malmö/Skåne/211 20; Umeå/Västerbotten/903 25;"
            "Stockholm/Stockholm/111 22; Örebro/Örebro/702 11"
        ),
        _words("Åsa, Göran, Märta, Björn, Linnéa, Håkan, Ingrid, Örjan"),
        _words("Åström, Sjögren, Bergström, Öhman, Lindqvist, Hägg, Nilsson, Wallén"),
    ),
    Country(
        "NO",
        "NOK",
        Decimal(25),
        "+47",
        _words("AS, ASA"),
        _words("Bjørnstad, Ødegård, Fjellheim, Skåland, Lærdal, Nordfjord, Grønvold, Haugen"),
        _words("Marin, Mekaniske, Offshore, Instrument, Kraft, Fiskeredskap"),
        _words("Strandgata, Havnegata, Kirkeveien, Industriveien, Bjørkeveien, Sjøgata"),
        _towns(
            "Bergen/Vestland/5003; Tromsø/Troms/9008; Oslo/Oslo/0150; Ålesund/Møre og Romsdal/6002"
        ),
        _words("Bjørn, Solveig, Øyvind, Kåre, Ragnhild, Håvard, Tone, Eirik"),
        _words("Sørensen, Bråten, Ødegaard, Nygård, Haugland, Kjær, Lillehammer, Vågen"),
    ),
    Country(
        "DK",
        "DKK",
        Decimal(25),
        "+45",
        _words("A/S, ApS"),
        _words("Nørgaard, Østergaard, Kjær, Højgaard, Brøndum, Lyngby, Skovgaard, Thygesen"),
        _words("Maskinfabrik, Teknik, Pumper, Laboratorium, Emballage, Værktøj"),
        _words("Nørregade, Havnevej, Industrivej, Østergade, Ågade, Kirkestræde"),
        _towns(
            "Aarhus/Midtjylland/8000; København/Hovedstaden/1620; Odense/Syddanmark/5000;"
            "Helsingør/Hovedstaden/3000"
        ),
        _words("Søren, Mette, Jørgen, Bodil, Rasmus, Åse, Kirsten, Bjarne"),
        _words("Møller, Sørensen, Nørgaard, Bæk, Kjær, Østergaard, Lund, Højlund"),
    ),
    Country(
        "FI",
        "EUR",
        Decimal("25.5"),
        "+358",
        _words("Oy, Oyj"),
        _words("Hämäläinen, Järvinen, Mäkelä, Pohjola, Kähkönen, Saari, Väinölä, Koskinen"),
        _words("Konepaja, Tekniikka, Metalli, Sähkö, Työkalut, Laite"),
        _words("Satamakatu, Teollisuustie, Hämeenkatu, Rantatie, Mäkikatu"),
        _towns("Tampere/Pirkanmaa/33100; Helsinki/Uusimaa/00100; Jyväskylä/Keski-Suomi/40100"),
        _words("Päivi, Jukka, Sirpa, Väinö, Hannele, Tuomas, Mikko, Äänis"),
        _words("Nieminen, Hämäläinen, Mäkinen, Räsänen, Lehtonen, Pöyhönen, Salo"),
    ),
    Country(
        "PL",
        "PLN",
        Decimal(23),
        "+48",
        _words("Sp. z o.o., S.A."),
        _words("Kowalczyk, Wiśniewski, Łódzki, Gdańska, Żuraw, Śląski, Jabłoński, Dębowy"),
        _words("Maszyny, Narzędzia, Przemysł, Technika, Opakowania, Pomiary"),
        _words("ul. Przemysłowa, ul. Portowa, ul. Długa, ul. Świętojańska, al. Niepodległości"),
        _towns(
            "Łódź/łódzkie/90-001; Gdańsk/pomorskie/80-831; Kraków/małopolskie/31-042;"
            "Poznań/wielkopolskie/61-809"
        ),
        _words("Małgorzata, Paweł, Łukasz, Zofia, Grażyna, Stanisław, Wojciech, Bożena"),
        _words("Wójcik, Kamiński, Dąbrowska, Zieliński, Szymański, Woźniak, Król"),
    ),
    Country(
        "GB",
        "GBP",
        Decimal(20),
        "+44",
        _words("Ltd, Limited, PLC, LLP"),
        _words(
            "Ashworth & Sons, Pennine, Harrington, Blackwood, Cotswold, Thistle, O'Connor, Kirkby"
        ),
        _words("Engineering, Instruments, Tooling, Supplies, Fabrication, Controls"),
        _words("Mill Lane, Station Road, Victoria Street, King's Road, Dock Street, Church Lane"),
        _towns(
            "Sheffield/South Yorkshire/S1 2HE; Leeds/West Yorkshire/LS1 4DY;"
            "Glasgow/Scotland/G2 1AL; Bristol/Bristol/BS1 6QF"
        ),
        _words("Fiona, Alistair, Imogen, Graham, Rhys, Siobhán, Nigel, Harriet"),
        _words("Ashworth, O'Brien, MacLeod, Whitaker, Pemberton, Hughes, Fairbairn"),
    ),
    Country(
        "US",
        "USD",
        Decimal(0),
        "+1",
        _words("Inc., LLC, Corp."),
        _words("Cascade, Lone Star, Great Lakes, Ironwood, Blue Ridge, Keystone, Sequoia, Mesa"),
        _words("Manufacturing, Instruments, Industrial Supply, Automation, Tool & Die, Systems"),
        _words("Main Street, Industrial Parkway, Commerce Drive, 5th Avenue, Harbor Boulevard"),
        _towns(
            "Portland/OR/97205; Austin/TX/78701; Cleveland/OH/44114; Pittsburgh/PA/15222;"
            "Asheville/NC/28801"
        ),
        _words("Denise, Marcus, Brooke, Tyler, Guadalupe, Wesley, Janelle, Dwight"),
        _words("Johnson, Ramirez, Whitfield, Nguyen, Kowalski, Patterson, Delacroix"),
    ),
    Country(
        "JP",
        "JPY",
        Decimal(10),
        "+81",
        _words("K.K., Co. Ltd., Kabushiki Kaisha"),
        _words("Takahashi, Fujimoto, Ōta, Kobayashi, Hokusei, Sakura, Yamato, Shinwa"),
        _words("Seiki, Denki, Kogyo, Keiki, Sangyo, Kikai"),
        _words("Chuo-dori, Minato-machi, Sakae, Nishi-shinjuku, Umeda"),
        _towns(
            "Ōsaka/Ōsaka/530-0001; Nagoya/Aichi/460-0008; Tōkyō/Tōkyō/160-0023;"
            "Yokohama/Kanagawa/220-0012"
        ),
        _words("Haruki, Yūko, Kenji, Sayuri, Shōta, Emi, Daisuke, Aiko"),
        _words("Tanaka, Satō, Itō, Watanabe, Kondō, Saitō, Nakamura"),
    ),
    Country(
        "ES",
        "EUR",
        Decimal(21),
        "+34",
        _words("S.L., S.A."),
        _words("Ibáñez, Muñoz, Peñalver, Cantábrica, Andújar, Núñez, Zubiría, Logroño"),
        _words("Maquinaria, Herramientas, Suministros, Industrias, Técnica, Envases"),
        _words("Calle Mayor, Avenida de la Constitución, Polígono Norte, Calle del Río, Gran Vía"),
        _towns(
            "Málaga/Andalucía/29001; Bilbao/País Vasco/48001; Zaragoza/Aragón/50001;"
            "A Coruña/Galicia/15001"
        ),
        _words("Begoña, Iñigo, María José, Ramón, Concepción, Álvaro, Íñigo, Lucía"),
        _words("García, Muñoz, Fernández, Ibáñez, Peña, Núñez, Echeverría"),
    ),
)

INDUSTRIES = _words(
    "Machinery, Energy, Food processing, Marine, Laboratories, Automotive, Packaging"
)
JOB_TITLES = _words("Purchaser, Head of Purchasing, Plant Manager, Engineer, Managing Director")
CARRIERS = _words("DHL, DSV, PostNord, UPS, DB Schenker")
RETURN_REASONS = _words("defective, wrong item, damaged in transit, no longer needed")
CASE_REASONS = _words("late delivery, damaged goods, wrong invoice, missing parts, how to use")
