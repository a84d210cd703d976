"""Changes a few values of a valid design at once: a wished one, what stands against it, and what stands against that.

Every group is a cell that holds one atom: a value, or nothing where the group does not apply; a variable of its own (a
flag, an option of several) is a cell of two. Most clauses join two cells and so say that pairs of atoms exclude each
other, which is one AND of ints to look up. The few others are checked at the end, on the literals that changed.
"""

from functools import cached_property

from configurator.space import Linear, Space, bits_of, has_row

STEPS = 12  # further changes after which a wish is left to the solver
LARGEST = 4000  # variables up to which the pairs are written out; they take room in the square of it

Clause = tuple[int, ...]


class Neighbours:
    """The atoms of a space, and which of them exclude each other.

    Atoms are bits: that of a variable for its being true, and `shift` above for its being false.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.shift = space.tracked + 1
        self.cells: dict[int, int] = {}
        self.need_of: dict[int, int] = {}  # cell → the variable that tells whether its group applies
        for group in space.groups:
            if group.kind == "one" and group.literals:
                nothing = 1 << self.shift + group.needed if group.needed else 0
                self._cell(group.mask | nothing)
                if group.needed:
                    self.need_of[group.mask | nothing] = group.needed
                continue
            for variable in (*(abs(literal) for literal in group.literals), group.needed):
                if variable:
                    self._cell(1 << variable | 1 << self.shift + variable)
        self.nothings = {need: cell for cell, need in self.need_of.items()}
        self.sometimes = sum(self.need_of)  # the atoms of those cells; no two cells share one
        self.excluded = [0] * (2 * self.shift)
        self.general: dict[int, list[Clause]] = {}
        self.opaque: set[int] = set()
        self.diagrams: dict[int, list[int]] = {}
        for number, (columns, _) in enumerate(space.diagrams):
            for literal in columns:
                self.diagrams.setdefault(self.cells[literal], []).append(number)
        self.linears: dict[int, list[Linear]] = {}
        for linear in space.linears:
            for literal in linear.literals:
                for side in (literal, -literal):
                    self.linears.setdefault(side, []).append(linear)
        for clause in space.clauses:
            self._read(clause)

    def around(self, design: int) -> "Neighbourhood":
        """The designs near a valid one."""
        return Neighbourhood(self, design)

    def _cell(self, cell: int) -> None:
        for atom in bits_of(cell):
            self.cells[atom] = cell

    @cached_property
    def entering(self) -> int:
        """Atoms whose coming may break more than a pair tells."""
        return sum(1 << atom for atom in self.cells if self._odd(-self.literal(atom)) or self._in_table(atom))

    @cached_property
    def leaving(self) -> int:
        """Atoms whose going may break more than a pair tells."""
        return sum(1 << atom for atom in self.cells if self._odd(self.literal(atom)) or self._in_table(atom))

    def _odd(self, literal: int) -> bool:
        return literal in self.general or literal in self.opaque or literal in self.linears

    def _in_table(self, atom: int) -> bool:
        return self.cells[atom] in self.diagrams

    def literal(self, atom: int) -> int:
        """The literal that an atom is."""
        return atom if atom < self.shift else self.shift - atom

    @cached_property
    def low(self) -> int:
        """All bits of variables."""
        return (1 << self.shift) - 1

    @cached_property
    def free(self) -> int:
        """Variables whose being false is an atom."""
        return sum(1 << variable for variable in range(1, self.shift) if self.shift + variable in self.cells)

    def atoms(self, design: int) -> int:
        """The atoms of a design."""
        return design | (~design & self.free) << self.shift

    def _read(self, clause: Clause) -> None:
        auxiliary = [literal for literal in clause if abs(literal) >= self.shift]
        if auxiliary:
            if not any(abs(literal) in self.space.inert for literal in auxiliary):
                self.opaque.update(clause)
            return
        allowed: dict[int, int] = {}
        for literal in clause:
            cell, atoms = self._meaning(literal)
            allowed[cell] = allowed.get(cell, 0) | atoms
        sides = [(cell, cell & ~atoms) for cell, atoms in allowed.items()]
        if any(not wrong for _, wrong in sides):
            return
        if len(sides) == 2:
            (_, here), (_, there) = sides
            for atom in bits_of(here):
                self.excluded[atom] |= there
            for atom in bits_of(there):
                self.excluded[atom] |= here
        elif len(sides) == 1:
            for atom in bits_of(sides[0][1]):
                self.excluded[atom] |= 1 << atom  # never
        else:
            for literal in clause:
                self.general.setdefault(literal, []).append(clause)

    def _meaning(self, literal: int) -> tuple[int, int]:
        """The cell that a literal speaks of, and the atoms with which it holds."""
        variable = abs(literal)
        if variable in self.nothings:
            cell, nothing = self.nothings[variable], 1 << self.shift + variable
            return cell, cell & ~nothing if literal > 0 else nothing
        cell = self.cells[variable]
        return cell, 1 << variable if literal > 0 else cell & ~(1 << variable)


class Neighbourhood:
    """The designs near one valid design."""

    def __init__(self, neighbours: Neighbours, design: int) -> None:
        self.neighbours = neighbours
        self.design = design
        self.atoms = neighbours.atoms(design)

    def moved(self, design: int) -> "Neighbourhood":
        """The designs near another valid one."""
        return Neighbourhood(self.neighbours, design)

    def alone(self, values: int) -> int:
        """Of these variables, those that can surely be true with nothing changed but their own group."""
        neighbours, atoms = self.neighbours, self.atoms
        excluded, cells, leaving = neighbours.excluded, neighbours.cells, atoms & neighbours.leaving
        found = 0
        for variable in bits_of(values & ~neighbours.entering):
            bit = 1 << variable
            if variable in cells and not (excluded[variable] & (atoms | bit) or cells[variable] & leaving):
                found |= bit
        return found

    def excludes(self, literal: int, taken: int) -> bool:
        """Whether the value is surely impossible as long as the taken variables are as they are."""
        neighbours = self.neighbours
        wish = literal if literal > 0 else neighbours.shift - literal
        held = taken | taken << neighbours.shift
        return bool(wish in neighbours.cells and neighbours.excluded[wish] & self.atoms & held)

    def with_value(self, literal: int, taken: int) -> int:
        """A valid design with this value in which the taken variables are as they are; 0 when none was found.

        Args:
            literal: the value that is wished; whether its own variable is taken does not matter.
            taken: bits of variables; -1 when nothing else may change.
        """
        neighbours = self.neighbours
        cells, excluded = neighbours.cells, neighbours.excluded
        wish = literal if literal > 0 else neighbours.shift - literal
        if wish not in cells:
            return 0
        cell = cells[wish]
        atoms = self.atoms & ~cell | 1 << wish
        fixed = cell | taken | taken << neighbours.shift
        forbidden = excluded[wish]
        against = forbidden & atoms
        steps = STEPS
        while against:
            if against & fixed or not steps:
                return 0
            steps -= 1
            cell = cells[(against & -against).bit_length() - 1]
            atoms &= ~cell
            best = self._best(cell & ~forbidden & ~fixed, atoms, fixed)
            if not best:
                return 0
            fixed |= cell
            atoms |= 1 << best
            forbidden |= excluded[best]
            against = forbidden & atoms
        return self._checked(atoms)

    def _best(self, options: int, atoms: int, fixed: int) -> int:
        """The atom that stands against least of what is there, and against nothing that is fixed."""
        excluded = self.neighbours.excluded
        best, least = 0, 1 << 30
        while options:
            low = options & -options
            options ^= low
            atom = low.bit_length() - 1
            against = excluded[atom] & (atoms | low)
            if not against:
                return atom
            if not against & (fixed | low) and (number := against.bit_count()) < least:
                best, least = atom, number
        return best

    def _checked(self, atoms: int) -> int:
        """The design of the atoms, if the clauses that join more than two cells hold as well; else 0."""
        neighbours, shift = self.neighbours, self.neighbours.shift
        design = atoms & neighbours.low
        new, gone = atoms & ~self.atoms, self.atoms & ~atoms
        for atom in bits_of(new & neighbours.sometimes):
            need = neighbours.need_of[neighbours.cells[atom]]
            design = design & ~(1 << need) | (0 if atom >= shift else 1 << need)
        new &= neighbours.entering
        gone &= neighbours.leaving
        if not new and not gone:
            return design
        lost = [-neighbours.literal(atom) for atom in bits_of(new)]
        lost += [neighbours.literal(atom) for atom in bits_of(gone)]
        for literal in lost:
            if literal in neighbours.opaque:
                return 0
            for clause in neighbours.general.get(literal, ()):
                if not any((design >> abs(x) & 1) == (x > 0) for x in clause):
                    return 0
        if neighbours.linears and not all(
            linear.holds(design)
            for linear in {id(linear): linear for x in lost for linear in neighbours.linears.get(x, ())}.values()
        ):
            return 0
        if neighbours.diagrams:
            changed = {neighbours.cells[atom] for atom in (*bits_of(new), *bits_of(gone))}
            numbers = {number for cell in changed for number in neighbours.diagrams.get(cell, ())}
            return design if all(has_row(neighbours.space, number, design) for number in numbers) else 0
        return design
