"""Given and family names, cities and languages of the sample people, each with the Latin spelling for an address."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """People of one language. Names are pairs of the native and the Latin spelling."""

    locale: str
    country: str
    timezone: str
    cities: tuple[str, ...]
    given: tuple[tuple[str, str], ...]
    family: tuple[tuple[str, str], ...]


def _names(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (word.partition("=") for word in text.split())
    return tuple((native, latin or native.lower()) for native, _, latin in pairs)


def _place(locale: str, country: str, timezone: str, cities: str, names: tuple[str, str]) -> Place:
    return Place(locale, country, timezone, tuple(cities.split(", ")), _names(names[0]), _names(names[1]))


PLACES = (
    _place(
        *("en", "GB", "Europe/London", "London, Bristol, Leeds, Glasgow, Cardiff"),
        (
            "Alice Oliver Grace Harry Amelia George Isla Noah",
            "Smith Taylor Brown Evans Walker O'Connor=oconnor Clarke",
        ),
    ),
    _place(
        *("en-US", "US", "America/New_York", "New York, Chicago, Austin, Portland, Denver"),
        (
            "Emma Liam Ava Mason Sophia Logan Mia Ethan",
            "Johnson Davis Miller Garcia Wilson Anderson Nguyen",
        ),
    ),
    _place(
        *("de", "DE", "Europe/Berlin", "Berlin, München, Köln, Hamburg, Leipzig"),
        (
            "Jürgen=juergen Käthe=kaethe Lukas Anna Björn=bjoern Sophie Jörg=joerg Mia",
            "Müller=mueller Groß=gross Schäfer=schaefer Weber Böhm=boehm Köhler=koehler Vogel",
        ),
    ),
    _place(
        *("fr", "FR", "Europe/Paris", "Paris, Lyon, Nîmes, Orléans, Besançon"),
        (
            "Élodie=elodie François=francois Chloé=chloe Léo=leo Zoé=zoe Hélène=helene Jérôme=jerome Inès=ines",
            "Lefèvre=lefevre Dubois Béranger=beranger Moreau Noël=noel Garçon=garcon Petit",
        ),
    ),
    _place(
        *("es", "ES", "Europe/Madrid", "Madrid, Málaga, Cádiz, Valencia, Bilbao"),
        (
            "José=jose Lucía=lucia Sofía=sofia Martín=martin Íñigo=inigo Carmen Ángel=angel Inés=ines",
            "García=garcia Muñoz=munoz Núñez=nunez López=lopez Ibáñez=ibanez Castro Peña=pena",
        ),
    ),
    _place(
        *("pl", "PL", "Europe/Warsaw", "Kraków, Łódź, Gdańsk, Poznań, Wrocław"),
        (
            "Łukasz=lukasz Małgorzata=malgorzata Zofia Paweł=pawel Agnieszka Michał=michal Żaneta=zaneta Jan",
            "Wójcik=wojcik Kowalski Dąbrowska=dabrowska Zieliński=zielinski Nowak Górska=gorska",
        ),
    ),
    _place(
        *("zh-CN", "CN", "Asia/Shanghai", "北京, 上海, 广州, 成都, 杭州"),
        (
            "小明=xiaoming 丽华=lihua 建国=jianguo 思雨=siyu 子涵=zihan 伟=wei 静=jing 浩然=haoran",
            "王=wang 李=li 张=zhang 刘=liu 陈=chen 杨=yang 欧阳=ouyang",
        ),
    ),
    _place(
        *("ja", "JP", "Asia/Tokyo", "東京, 大阪, 京都, 札幌, 福岡"),
        (
            "花子=hanako 太郎=taro さくら=sakura 健=ken 陽菜=hina 蓮=ren 美咲=misaki 翔=sho",
            "佐藤=sato 鈴木=suzuki 高橋=takahashi 田中=tanaka 渡辺=watanabe 髙田=takada",
        ),
    ),
    _place(
        *("ko", "KR", "Asia/Seoul", "서울, 부산, 대구, 인천"),
        (
            "지우=jiwoo 서연=seoyeon 민준=minjun 하은=haeun 도윤=doyun 수아=sua",
            "김=kim 이=lee 박=park 최=choi 정=jung 강=kang",
        ),
    ),
    _place(
        *("ar", "EG", "Africa/Cairo", "القاهرة, الإسكندرية, الجيزة, أسوان"),
        (
            "محمد=mohamed فاطمة=fatima أحمد=ahmed مريم=mariam يوسف=youssef نور=nour خالد=khaled ليلى=layla",
            "حسن=hassan علي=ali إبراهيم=ibrahim السيد=elsayed منصور=mansour سالم=salem",
        ),
    ),
    _place(
        *("he", "IL", "Asia/Jerusalem", "תל אביב, חיפה, ירושלים"),
        (
            "נועה=noa דוד=david תמר=tamar איתן=eitan שירה=shira יעל=yael",
            "כהן=cohen לוי=levi מזרחי=mizrahi פרץ=peretz",
        ),
    ),
    _place(
        *("el", "GR", "Europe/Athens", "Αθήνα, Θεσσαλονίκη, Πάτρα"),
        (
            "Γιώργος=giorgos Μαρία=maria Ελένη=eleni Νίκος=nikos Σοφία=sofia Δημήτρης=dimitris",
            "Παπαδόπουλος=papadopoulos Οικονόμου=oikonomou Νικολαΐδης=nikolaidis",
        ),
    ),
    _place(
        *("uk", "UA", "Europe/Kyiv", "Київ, Львів, Одеса, Харків"),
        (
            "Олена=olena Тарас=taras Ірина=iryna Андрій=andrii Юлія=yuliia Богдан=bohdan",
            "Шевченко=shevchenko Коваленко=kovalenko Бойко=boiko Мельник=melnyk",
        ),
    ),
    _place(
        *("hi", "IN", "Asia/Kolkata", "मुंबई, दिल्ली, पुणे, चेन्नई"),
        (
            "आरव=aarav प्रिया=priya विवान=vivaan अनन्या=ananya राहुल=rahul दिया=diya",
            "शर्मा=sharma पटेल=patel गुप्ता=gupta सिंह=singh",
        ),
    ),
    _place(
        *("th", "TH", "Asia/Bangkok", "กรุงเทพฯ, เชียงใหม่, ภูเก็ต"),
        (
            "สมชาย=somchai มาลี=malee ณัฐ=nat พิมพ์=pim",
            "ใจดี=jaidee ทองคำ=thongkham ศรีสุข=srisuk",
        ),
    ),
    _place(
        *("tr", "TR", "Europe/Istanbul", "İstanbul, İzmir, Ankara, Eskişehir"),
        (
            "İpek=ipek Çağla=cagla Oğuz=oguz Şule=sule Emre Ayşe=ayse",
            "Yılmaz=yilmaz Öztürk=ozturk Şahin=sahin Çelik=celik",
        ),
    ),
)
