"""Which arrays are items of lists of run-time length, though they may have other names too.

Such a list has copies of its items. That a copy is another object than the original must not be seen: what may be one
object in Python is not compared by `is`, not changed in place, and at most one name of it leaves compiled code.
Marks are only ever added. So what a loop's body does with its second item is known when the loop is captured again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from janus_mlir.capture.breaks import Break

_NONE: frozenset[int] = frozenset()


@dataclass(slots=True)
class Lending:
    """What one capture knows of it. Lists that may have an item in common form a group."""

    #: The lists that an array (or memory, or inner list) may be an item of, by id.
    _lists: dict[int, frozenset[int]] = field(default_factory=dict)
    #: The lists that it was read out of: it is a copy.
    _copied: dict[int, frozenset[int]] = field(default_factory=dict)
    #: The same, but not of one of the first items.
    _late: dict[int, frozenset[int]] = field(default_factory=dict)
    _parents: dict[int, int] = field(default_factory=dict)
    #: Groups with an item that occurs twice, or that is known outside.
    _indistinct: set[int] = field(default_factory=set)
    #: Groups of which only the first items may be known outside, and lists with the number of these.
    _known_at_front: set[int] = field(default_factory=set)
    _fronts: dict[int, int] = field(default_factory=dict)
    #: What effects have let out of a group.
    _named: dict[int, int] = field(default_factory=dict)

    def _group(self, list_id: int) -> int:
        while (parent := self._parents.get(list_id)) is not None:
            list_id = parent
        return list_id

    def _groups(self, id: int) -> set[int]:
        return {self._group(found) for found in self._lists.get(id, _NONE)}

    def unite(self, first: int, *others: int) -> None:
        """Note that lists may have items in common, or are one list under several ids."""
        root = self._group(first)
        for other in others:
            group = self._group(other)
            if group == root:
                continue
            self._parents[group] = root
            if group in self._indistinct:
                self._indistinct.add(root)
            if group in self._known_at_front:
                # Of another list, these may be any items.
                self._indistinct.add(root)

    def derive(self, list_id: int, source: int, start: int) -> None:
        """Note that a list has the items of another one from `start` on."""
        root, group = self._group(source), self._group(list_id)
        if group != root:
            self._parents[group] = root
        front = self._fronts.get(source)
        if front is not None:
            self._fronts[list_id] = max(front - start, 0)

    def lend(
        self, list_id: int, ids: Iterable[int], escaped: Collection[int] = (), *, whole: bool = False
    ) -> None:
        """Note that what has these ids becomes an item of a list, or (`whole`) is all of it; `escaped` is known outside."""
        ids = tuple(ids)
        if len(set(ids)) != len(ids):
            self.blur(list_id)
        for id in ids:
            lists = self._lists.get(id, _NONE)
            groups = {self._group(found) for found in lists if not (whole and found == list_id)}
            if self._group(list_id) in groups or id in escaped:
                self.blur(list_id)
            self.unite(list_id, *groups)
            self._lists[id] = self._lists.get(id, _NONE) | {list_id}

    def blur(self, list_id: int, front: int | None = None) -> None:
        """Note that items of a list may be the same object, or (only the first `front`) one that is known outside."""
        if front is None:
            self._indistinct.add(self._group(list_id))
        else:
            self._known_at_front.add(self._group(list_id))
            self._fronts[list_id] = max(front, self._fronts.get(list_id, 0))

    def copy(self, list_id: int, ids: Iterable[int], index: int | None = None) -> None:
        """Note that what has these ids was read out of a list, from `index` if that is known."""
        late = index is not None and index >= self._fronts.get(list_id, 0)
        table = self._late if late else self._copied
        for id in ids:
            self._lists[id] = self._lists.get(id, _NONE) | {list_id}
            table[id] = table.get(id, _NONE) | {list_id}

    def join(self, joined: int, *ids: int) -> bool:
        """Note that `joined` is one of `ids`, by the way taken; return whether that is news."""
        news = False
        for table in (self._lists, self._copied, self._late):
            found = _NONE.union(*(table.get(id, _NONE) for id in ids))
            if not found <= table.get(joined, _NONE):
                table[joined] = table.get(joined, _NONE) | found
                news = True
        return news

    def is_item(self, id: int) -> bool:
        """Whether something may be an item of a list of run-time length, which would not see it change."""
        return id in self._lists

    def has_copies(self, list_id: int) -> bool:
        """Whether an item of a list may have another name."""
        group = self._group(list_id)
        return any(group in self._groups(id) for id in self._lists)

    def may_be_same(self, a: Iterable[int], b: Iterable[int]) -> bool:
        """Whether two things may be the same item of a list."""
        groups = [set().union(*(self._groups(id) for id in ids)) for ids in (a, b)]
        return bool(groups[0] & groups[1])

    def leave(self, id: int, named: dict[int, int], *, escapes: bool, as_list: bool = False) -> None:
        """Let something out of compiled code, unless it is out under another name; `named` is out at this site."""
        groups = {self._group(id)} if as_list else self._groups(id)
        if not groups:
            return
        copied = groups if as_list else {self._group(found) for found in self._copied.get(id, _NONE)}
        late = {self._group(found) for found in self._late.get(id, _NONE)}
        if copied & (self._indistinct | self._known_at_front) or late & self._indistinct:
            raise Break("JN506", "an item of a list of run-time length that may have another name")
        for group in groups:
            if named.get(group, id) != id or self._named.get(group, id) != id:
                raise Break("JN506", "two names of what may be one item of a list of run-time length")
        for group in groups:
            named[group] = id
            if escapes:
                self._named[group] = id


__all__ = ["Lending"]
