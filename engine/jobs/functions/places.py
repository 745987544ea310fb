"""Grids, maps and networks: functions to make programming tasks from."""

from collections import deque
from heapq import heappop, heappush
from math import asin, cos, radians, sin, sqrt


def distance_km(here: tuple[float, float], there: tuple[float, float]) -> float:
    """Return the distance over the ground between two points in degrees north and east.

    The earth is taken as a ball with a radius of 6371 km.
    """
    north, east = radians(there[0] - here[0]), radians(there[1] - here[1])
    half = sin(north / 2) ** 2
    half += cos(radians(here[0])) * cos(radians(there[0])) * sin(east / 2) ** 2
    return 2 * 6371 * asin(sqrt(half))


def islands(chart: list[str]) -> int:
    """Count the islands on a chart where '#' is land; land that touches by an edge is one."""
    land = {
        (row, column)
        for row, line in enumerate(chart)
        for column, sign in enumerate(line)
        if sign == "#"
    }
    count = 0
    while land:
        count += 1
        shore = [land.pop()]
        while shore:
            row, column = shore.pop()
            for beside in (
                (row + 1, column),
                (row - 1, column),
                (row, column + 1),
                (row, column - 1),
            ):
                if beside in land:
                    land.remove(beside)
                    shore.append(beside)
    return count


def quickest(roads: dict[str, dict[str, int]], start: str, goal: str) -> list[str]:
    """Return the stops of the quickest way between two places; empty where there is none.

    ``roads`` gives the minutes from each place to its neighbours. Of ways that take equally
    long, the one with the alphabetically first stops is returned.
    """
    waiting = [(0, [start])]
    done = set()
    while waiting:
        minutes, way = heappop(waiting)
        place = way[-1]
        if place == goal:
            return way
        if place not in done:
            done.add(place)
            for beside, more in roads.get(place, {}).items():
                if beside not in done:
                    heappush(waiting, (minutes + more, [*way, beside]))
    return []


def turned(picture: list[list[int]], quarters: int) -> list[list[int]]:
    """Turn a picture clockwise by so many quarter turns; a negative number turns it back."""
    for _ in range(quarters % 4):
        picture = [list(column) for column in zip(*reversed(picture), strict=True)]
    return picture


def visits(floor: list[str], steps: int) -> int:
    """Count the tiles that a robot at 'R' can be on after at most so many steps around '#'."""
    start = next((r, line.index("R")) for r, line in enumerate(floor) if "R" in line)
    near = {start: 0}
    edge = deque([start])
    while edge:
        row, column = edge.popleft()
        if near[row, column] == steps:
            continue
        for to in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)):
            inside = 0 <= to[0] < len(floor) and 0 <= to[1] < len(floor[to[0]])
            if inside and to not in near and floor[to[0]][to[1]] != "#":
                near[to] = near[row, column] + 1
                edge.append(to)
    return len(near)
