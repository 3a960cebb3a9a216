"""The compiled loops of the greedy order: points are compared with new picks, and the farthest is picked.

Both first compare the leading coordinates, in single precision with an allowance for rounding. Only points that may be
nearer are measured, by `distances.square_distance` of the points themselves.
"""

import numpy as np

from patchcore.kernels.distances import compiled, in_any_order, square_distance

LEADING = 16
LANES = 64  # picks compared at once: 16 coordinates of them lie side by side in 4 KiB
SLACK = 2.0**-17  # times the largest leading coordinate: above the rounding error of a distance of two points
MARGIN = 1 + 2.0**-18  # above the relative rounding error of a sum of 16 squares


@compiled
def limit_of(square, scale):  # type: ignore[no-untyped-def]
    """Square distance of leading coordinates above which two points are farther apart than the root of `square`."""
    limit = (np.sqrt(square) * scale + SLACK) * MARGIN
    return np.float32(limit * limit)


@in_any_order
def _surely_beyond(a, b, square):  # type: ignore[no-untyped-def]
    """Tell in single precision, allowing for rounding, whether two points are farther apart than a distance."""
    total = np.float32(0)
    for j in range(a.shape[0]):
        difference = a[j] - b[j]
        total += difference * difference
    bound = total * (1 - 2.0**-23 * (a.shape[0] + 8)) - 2.0**-100
    return bound > square and bound < 1e38  # beyond that the sum may have overflowed


@in_any_order
def _any_within(tile, leading, limit, sums):  # type: ignore[no-untyped-def]
    """Compare a point's leading coordinates with a tile of picks [LEADING, LANES]; leaves the squares in `sums`."""
    for lane in range(LANES):
        sums[lane] = np.float32(0)
    for j in range(LEADING):
        for lane in range(LANES):
            difference = tile[j, lane] - leading[j]
            sums[lane] += difference * difference
    found = np.int32(0)
    for lane in range(LANES):
        found |= np.int32(sums[lane] <= limit)
    return found != 0


@compiled
def catch_up(points, leading, scale, tiles, picks, count, level, rows, nearest, pick_counts):  # type: ignore[no-untyped-def]
    """Compare points with new picks; stop a point early once a pick is no farther than `level`.

    Parameters
    ----------
    points, leading, scale
        [N, d] float32; [N, LEADING] float32, leading coordinates times `scale`.
    tiles, picks, count
        [T, LEADING, LANES] leading coordinates of the picks; [K] int64; their number.
    level
        Square of a distance.
    rows
        The points to compare.
    nearest, pick_counts
        [N] square of the distance to the nearest pick so far; [N] number of picks compared so far. Updated in place.
    """
    sums = np.empty(LANES, np.float32)
    for row in rows:
        own, square, at = leading[row], nearest[row], pick_counts[row]
        limit = limit_of(square, scale)
        while at < count and square > level:
            tile = at // LANES
            end = min((tile + 1) * LANES, count)
            if _any_within(tiles[tile], own, limit, sums):
                for k in range(at, end):
                    if sums[k - tile * LANES] <= limit:
                        if _surely_beyond(points[row], points[picks[k]], square):
                            continue
                        found = square_distance(points[row], points[picks[k]])
                        if found < square:
                            square, limit = found, limit_of(found, scale)
            at = end
        nearest[row], pick_counts[row] = square, at


@in_any_order
def _mark(columns, leading, limits, hit):  # type: ignore[no-untyped-def]
    """Tell which points, leading coordinates [LEADING, n], may lie within their limits of a pick."""
    for start in range(0, hit.shape[0], LANES):
        sums = np.zeros(LANES, np.float32)
        width = min(LANES, hit.shape[0] - start)
        for j in range(LEADING):
            for lane in range(width):
                difference = columns[j, start + lane] - leading[j]
                sums[lane] += difference * difference
        for lane in range(width):
            hit[start + lane] = sums[lane] <= limits[start + lane]


@compiled
def pick_above(points, leading, scale, tiles, picks, radii, count, level, rows, nearest, pick_counts):  # type: ignore[no-untyped-def]
    """Pick the farthest of some points repeatedly while it is farther than `level`; of equals the first.

    `rows`, ascending, must hold every point that may be farther than `level`, each compared with all picks.

    Returns
    -------
    int
        The number of picks now.
    """
    n = rows.shape[0]
    columns, limits, hit = np.empty((LEADING, n), np.float32), np.empty(n, np.float32), np.empty(n, np.bool_)
    squares = nearest[rows]
    for i in range(n):
        limits[i] = limit_of(squares[i], scale)
        columns[:, i] = leading[rows[i]]
    while count < picks.shape[0]:
        best = np.argmax(squares)
        if not squares[best] > level:
            break
        pick = rows[best]
        picks[count], radii[count] = pick, squares[best]
        tiles[count // LANES, :, count % LANES] = leading[pick]
        count += 1
        # Never picked again, also where all rows are equal.
        squares[best], limits[best] = -1.0, np.float32(-1)
        _mark(columns, leading[pick], limits, hit)
        for i in range(n):
            if hit[i] and not _surely_beyond(points[rows[i]], points[pick], squares[i]):
                found = square_distance(points[rows[i]], points[pick])
                if found < squares[i]:
                    squares[i], limits[i] = found, limit_of(found, scale)
    nearest[rows], pick_counts[rows] = squares, count
    return count
