"""Templates and contacts made from a seed: everything Liquid can do, over everything that is awkward to encode."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

STATIC = (
    "plain words ",
    "a very long line without any break " * 4,
    "W" * 200,
    "\n.leading dot\n..two dots\n.\n",
    "a=b&c==d =3D = ",
    "trailing blanks   \nand a tab\t\n\t\n",
    "\r\nCRLF and a lone\rCR\r\n",
    "Grüße, café, naïve ",
    "早上好，世界。" * 9,
    "👩‍👩‍👧 emoji 🎉🎉 ",
    '<p class="x">bold &amp; &lt;old&gt;</p>',
    "<td>\n   <b>indented</b>\n   </td>\n",
    "From the start\n",
    " ",
    "\n",
    "\n\n\n",
    "=",
    ".",
    "~" * 75 + ".\n",
    "x" * 74 + ".." + "y" * 74,
)
FIELDS = (
    "name",
    "city",
    "points",
    "price",
    "vip",
    "none",
    "tags",
    "products",
    "address",
    "dots",
    "missing",
    "blob",
    "size",
)
SCALARS = ("name", "city", "points", "price", "vip", "none", "dots", "missing", "blob", "size")
ITEM_FIELDS = ("title", "url", "price", "missing", "tags", "size")
FILTERS = (
    "upcase",
    "downcase",
    "capitalize",
    'default: "nobody & co"',
    'default: "none", allow_false: true',
    "default: contact.city",
    "escape",
    "escape_once",
    "strip",
    "lstrip",
    "rstrip",
    "truncate: 12",
    'truncate: 9, "…"',
    "truncatewords: 2",
    "size",
    "first",
    "last",
    'join: ", "',
    "join",
    "reverse | join: '<'",
    "sort | join: ' '",
    "uniq | size",
    "plus: 3",
    "minus: 1.5",
    "times: 2",
    "divided_by: 3",
    "divided_by: 0",
    "modulo: 7",
    "abs",
    "round: 1",
    "ceil",
    "at_least: 5",
    "money",
    'money: "EUR"',
    'money: "CHF"',
    'date: "%d.%m.%Y"',
    'append: "<tail>"',
    'prepend: "head & "',
    'replace: "a", "<A>"',
    'remove: "e"',
    'split: " " | join: "|"',
    "newline_to_br",
    "strip_newlines",
    "strip_html",
    "url_encode",
    "url_decode",
    "slice: 0, 4",
    "squish",
    "map: 'title' | join: ';'",
    "where: 'price', 3 | size",
    "base64_encode",
    "base64_decode",
)
TEXTS = (
    "",
    " ",
    "Ada",
    "Zoë Ångström",
    'O\'Neill "the" <b>bold</b> & Sons',
    ".hidden",
    "...",
    "a=b=c",
    "line one\nline two\r\nline three\rline four",
    "ends with blanks   ",
    "\ttab\t",
    "x" * 300,
    "ü" * 90,
    "你好" * 40,
    "👩‍🚀🚀 to the moon",
    "word " * 60,
    "100% &amp; more",
    "{{ not liquid }} {% nor this %}",
    "javascript:alert(1)",
    'https://shop.example/a b?q=ü&x="1"',
    "https://shop.example/p/1?a=1&b=2",
    "http://x.example/" + "p" * 300,
    "mailto:a@b.example",
    "2026-03-14",
    "1767225600",
    "42",
    "-3.5",
    "\x0b\x0c vertical",
)


class Maker:
    """Makes one template and its contacts."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.depth = 0
        self.loops: list[str] = []
        self.variables: list[str] = []
        self.links = 0

    # -- contacts ---------------------------------------------------------------------------------------------------

    def value(self, depth: int = 0) -> Any:
        """Any value that JSON could hold."""
        kinds: Sequence[Callable[[], Any]] = (
            lambda: self.random.choice(TEXTS),
            lambda: self.random.choice(TEXTS),
            lambda: self.random.choice((0, 1, -7, 42, 1000, 10**20)),
            lambda: self.random.choice((0.0, 1.5, -2.25, 1e10)),
            lambda: self.random.choice((True, False, None)),
            lambda: [self.value(depth + 1) for _ in range(self.random.randrange(4))] if depth < 2 else [],
            lambda: {self.random.choice(ITEM_FIELDS): self.value(depth + 1) for _ in range(3)} if depth < 2 else {},
        )
        return self.random.choice(kinds)()

    def contact(self) -> dict[str, Any]:
        """A contact with some fields missing."""
        contact = {name: self.value() for name in FIELDS if name != "missing" and self.random.random() < 0.8}
        if self.random.random() < 0.8:
            contact["products"] = [
                {name: self.value(1) for name in ITEM_FIELDS if name != "missing"}
                for _ in range(self.random.randrange(7))
            ]
        if self.random.random() < 0.7:
            contact["points"] = self.random.choice((0, 3, 99, 500, 501))
        return contact

    # -- templates --------------------------------------------------------------------------------------------------

    def template(self, length: int, *, html: bool) -> str:
        """Liquid with slot tags."""
        return "".join(self.fragment(html=html) for _ in range(length))

    def path(self) -> str:
        """A variable."""
        options = [f"contact.{self.random.choice(FIELDS)}", f"contact.{self.random.choice(SCALARS)}", "brand.name"]
        options += ["contact.products[0].title", "contact.products.first.title", "contact['name']", "contact.tags.size"]
        options += ["contact.products[contact.points].title", "contact.address.city", "contact", "nowhere", "now"]
        options += ["unsubscribe_url", "preferences_url", "brand", "contact.tags.last", "contact.name.first", "empty"]
        options += self.variables
        for item in self.loops:
            options += [item, f"{item}.{self.random.choice(ITEM_FIELDS)}", f"{item}.{self.random.choice(ITEM_FIELDS)}"]
            options += [
                f"forloop.{self.random.choice(('index', 'index0', 'rindex', 'rindex0', 'first', 'last', 'length'))}"
            ]
        return self.random.choice(options)

    def output(self) -> str:
        """`{{ … }}` with up to three filters."""
        filters = "".join(f" | {self.random.choice(FILTERS)}" for _ in range(self.random.choice((0, 0, 0, 1, 1, 2, 3))))
        literal = self.random.choice(('"lit & <i>"', "'its'", "3", "2.5", "true", "nil"))
        left = self.path() if self.random.random() < 0.9 else literal
        dash = self.random.choice(("", "", "", "-"))
        return f"{{{{{dash} {left}{filters} {dash}}}}}"

    def condition(self) -> str:
        """A condition with up to three tests."""
        return self.random.choice((" and ", " or ")).join(self._test() for _ in range(self.random.choice((1, 1, 2, 3))))

    def _test(self) -> str:
        operator = self.random.choice(("==", "!=", "<>", "<", ">", "<=", ">=", "contains"))
        right = self.random.choice(("3", "500", "'Ada'", "''", "nil", "true", "empty", "blank", "2.5", self.path()))
        return self.random.choice((self.path(), self.path(), f"{self.path()} {operator} {right}"))

    def fragment(self, *, html: bool) -> str:
        """One piece of a template."""
        simple = (self._static, self._static, self.output, self.output, self.output)
        deep = (self._if, self._for, self._case, self._unless, self._assign, self._capture, self._rest)
        if self.depth < 3 and self.random.random() < 0.35:
            self.depth += 1
            made: str = self.random.choice(deep)(html)
            self.depth -= 1
            return made
        if self.random.random() < 0.12:
            return self._slot(html)
        return self.random.choice(simple)()

    def _static(self) -> str:
        return self.random.choice(STATIC)

    def _block(self, html: bool) -> str:
        return "".join(self.fragment(html=html) for _ in range(self.random.randrange(4)))

    def _if(self, html: bool) -> str:
        middle = f"{{% elsif {self.condition()} %}}{self._block(html)}" if self.random.random() < 0.4 else ""
        last = f"{{% else %}}{self._block(html)}" if self.random.random() < 0.5 else ""
        return f"{{% if {self.condition()} %}}{self._block(html)}{middle}{last}{{% endif %}}"

    def _unless(self, html: bool) -> str:
        return f"{{% unless {self.condition()} %}}{self._block(html)}{{% else %}}{self._block(html)}{{% endunless %}}"

    def _case(self, html: bool) -> str:
        whens = f"{{% when 'Ada', 3 %}}{self._block(html)}{{% when {self.path()} %}}{self._block(html)}"
        return f"{{% case {self.path()} %}}{whens}{{% else %}}{self._block(html)}{{% endcase %}}"

    def _for(self, html: bool) -> str:
        item = self.random.choice(("p", "q", "item"))
        over = self.random.choice(
            ("contact.products", "contact.products", "contact.tags", "(1..4)", "contact.address", self.path())
        )
        options = self.random.choice(
            (
                "",
                "",
                " limit: 2",
                " offset: 1",
                " reversed",
                " limit: contact.points",
                " limit:2 offset:1",
                " limit: 1 offset: continue",
            )
        )
        self.loops.append(item)
        body = self._block(html) + self.random.choice(
            ("", "", "", "{% break %}", "{% if forloop.first %}{% continue %}{% endif %}")
        )
        body += self._block(html)
        self.loops.pop()
        last = f"{{% else %}}{self._block(html)}" if self.random.random() < 0.3 else ""
        return f"{{% for {item} in {over}{options} %}}{body}{last}{{% endfor %}}"

    def _assign(self, html: bool) -> str:
        name = self.random.choice(("a", "b", "brand", "contact2"))
        self.variables.append(name)
        return f"{{% assign {name} = {self.output()[2:-2].strip('- ')} %}}"

    def _capture(self, html: bool) -> str:
        name = self.random.choice(("a", "b", "c"))
        body = self._block(html)
        self.variables.append(name)
        return f"{{% capture {name} %}}{body}{{% endcapture %}}"

    def _rest(self, html: bool) -> str:
        return self.random.choice(
            (
                "{% cycle 'odd', 'even' %}",
                "{% cycle 'g': contact.name, '<2>' %}",
                "{% comment %} {{ gone }} {% endcomment %}",
                "{% raw %}{{ kept }}{% endraw %}",
                "{% # note %}",
                "{% liquid\n assign d = contact.name\n echo d\n%}",
                "{% increment n %}{{ n }}{% decrement m %}",
                "{% tablerow t in contact.tags cols:2 %}{{ t }}{% endtablerow %}",
                "{% ifchanged %}{{ contact.vip }}{% endifchanged %}",
            )
            if self.random.random() < 0.3
            else (
                "{% cycle 'odd', 'even' %}",
                "{% comment %} {{ gone }} {% endcomment %}",
                "{% raw %}{{ kept }}{% endraw %}",
            )
        )

    def _slot(self, html: bool) -> str:
        self.links += 1
        inner = self.random.choice((self.output(), f"https://shop.example/{self.output()}?a=1&b={self.output()}"))
        clickto = f"{{% clickto {self.random.randrange(3)} %}}{inner}{{% endclickto %}}"
        static = f"{{% click {self.random.randrange(3)} %}}"
        extras = ["{% openpixel %}", "{% honeypot %}"] if html else []
        return self.random.choice([clickto, static, *extras])
