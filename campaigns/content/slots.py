"""The slot tags of compiled content, and what fills them.

`{% click 3 %}` is a tracked address, `{% clickto 4 %}…{% endclickto %}` one made of merge fields, `{% openpixel %}` and
`{% honeypot %}` are whole elements. Only compiled content may hold them; in a marketer's source they are unknown tags.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TextIO

from liquid import BlockNode, Node, RenderContext, Tag, Token, TokenStream
from liquid.exceptions import LiquidSyntaxError
from liquid.parser import get_parser
from liquid.stringify import to_liquid_string
from liquid.token import TOKEN_EXPRESSION, TOKEN_TAG
from liquid.utils import ReadOnlyChainMap

from campaigns.content.source import LinkSlot
from campaigns.content.urls import usable_url

END_CLICKTO = frozenset({"endclickto"})


class Slots(Protocol):
    """What one reader's slots are filled with. Addresses are plain text; `pixel` and `honeypot` are HTML."""

    def click(self, index: int) -> str:
        """The address of a static link."""

    def click_to(self, index: int, url: str) -> str:
        """The address that leads to `url`, which is http or https and printable ASCII."""

    def pixel(self) -> str:
        """The open pixel's element, or nothing."""

    def honeypot(self) -> str:
        """The element of a link that no person sees, or nothing."""


class Untracked:
    """Fills slots for a preview: links lead straight to their targets, nothing is counted."""

    def __init__(self, links: Iterable[LinkSlot]) -> None:
        self._urls = {link.index: link.url for link in links}

    def click(self, index: int) -> str:
        """The target itself."""
        return self._urls[index]

    def click_to(self, index: int, url: str) -> str:  # noqa: ARG002 the index is of no use untracked
        """The target itself."""
        return url

    def pixel(self) -> str:
        """Nothing."""
        return ""

    def honeypot(self) -> str:
        """Nothing."""
        return ""


class SlotContext(RenderContext):
    """A render context that carries the reader's slots, and has no clock: `now` is data here."""

    __slots__ = ("slots",)

    def __init__(self, *args: Any, slots: Slots, **options: Any) -> None:
        super().__init__(*args, **options)
        self.slots = slots
        # python-liquid's own chain has a third map, in front of the counters, that reads the clock for now and today.
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)


def _slots_of(context: RenderContext) -> Slots:
    if not isinstance(context, SlotContext):
        raise TypeError("slot tags are rendered in a SlotContext")
    return context.slots


class ClickNode(Node):
    """`{% click 3 %}`."""

    __slots__ = ("index",)

    def __init__(self, token: Token, index: int) -> None:
        super().__init__(token)
        self.index = index
        self.blank = False

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Writes the address, escaped in HTML."""
        return buffer.write(to_liquid_string(_slots_of(context).click(self.index), context.autoescape))


class ClickToNode(Node):
    """`{% clickto 4 %}https://shop.example/{{ product.handle }}{% endclickto %}`."""

    __slots__ = ("block", "index")

    def __init__(self, token: Token, index: int, block: BlockNode) -> None:
        super().__init__(token)
        self.index = index
        self.block = block
        self.blank = False

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Writes the click address of what the block says, or a harmless address where that is not http(s).

        The block is plain text, in HTML as well: only the finished address is escaped.
        """
        written = context.get_buffer(buffer)
        autoescape, context.autoescape = context.autoescape, False
        self.block.render(context, written)
        context.autoescape = autoescape
        target = click_target(self.index, written.getvalue(), _slots_of(context))
        return buffer.write(to_liquid_string(target, autoescape))

    def children(self, static_context: RenderContext, *, include_partials: bool = True) -> Iterable[Node]:  # noqa: ARG002
        """The block."""
        return [self.block]


def click_target(index: int, address: str, slots: Slots) -> str:
    """Where a link made of merge fields leads for one reader."""
    url, trackable = usable_url(address)
    return slots.click_to(index, url) if trackable else url


class PixelNode(Node):
    """`{% openpixel %}`."""

    __slots__ = ()

    def __init__(self, token: Token) -> None:
        super().__init__(token)
        self.blank = False

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Writes the element."""
        return buffer.write(_slots_of(context).pixel())


class HoneypotNode(PixelNode):
    """`{% honeypot %}`."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Writes the element."""
        return buffer.write(_slots_of(context).honeypot())


def _index(stream: TokenStream) -> int:
    value = stream.expect(TOKEN_EXPRESSION).value
    if not value.isdecimal():
        raise LiquidSyntaxError("a slot tag takes the number of a link", token=stream.current)
    return int(value)


class ClickTag(Tag):
    """Parses `click`."""

    name = "click"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        """Reads the tag and its number."""
        token = stream.eat(TOKEN_TAG)
        return ClickNode(token, _index(stream))


class ClickToTag(Tag):
    """Parses `clickto … endclickto`."""

    name = "clickto"
    end = "endclickto"

    def parse(self, stream: TokenStream) -> Node:
        """Reads the tag, its number and its block."""
        token = stream.eat(TOKEN_TAG)
        index = _index(stream)
        next(stream)
        block = get_parser(self.env).parse_block(stream, END_CLICKTO)
        stream.expect(TOKEN_TAG, value=self.end)
        return ClickToNode(token, index, block)


class PixelTag(Tag):
    """Parses `openpixel`."""

    name = "openpixel"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        """Reads the tag."""
        return PixelNode(stream.current)


class HoneypotTag(Tag):
    """Parses `honeypot`."""

    name = "honeypot"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        """Reads the tag."""
        return HoneypotNode(stream.current)


SLOT_TAGS: tuple[type[Tag], ...] = (ClickTag, ClickToTag, PixelTag, HoneypotTag)
