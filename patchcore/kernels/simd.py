"""Sums of squares in vectors of eight, and bounds of 64 pairs at once, for code that Numba compiles.

Written as LLVM vectors, which LLVM lays out in the registers of the processor. LLVM does not find the vectors itself:
the fixed order of the sums of squares forbids it, and it would keep the sums of the bounds in memory.
"""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array


def _eight_sums(typing, a, b):
    """Sum the squares of the differences of two contiguous float32 vectors in eight float64 sums.

    Sum i takes the coordinates i, i + 8 and so on, in their order; coordinates past the last whole eight are left out.
    """

    def emit(context, builder, signature, arguments):
        first, second = (
            make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
        )
        single, double = ir.VectorType(ir.FloatType(), 8), ir.VectorType(ir.DoubleType(), 8)
        (length,) = cgutils.unpack_tuple(builder, first.shape)
        step = length.type(8)
        sums = cgutils.alloca_once_value(builder, double(None))
        with cgutils.for_range(builder, builder.sdiv(length, step)) as loop:
            place = builder.mul(loop.index, step)

            def eight(vector):
                at = builder.bitcast(builder.gep(vector.data, [place]), single.as_pointer())
                return builder.fpext(builder.load(at, align=4), double)

            apart = builder.fsub(eight(first), eight(second))
            builder.store(builder.fadd(builder.load(sums), builder.fmul(apart, apart)), sums)
        found = builder.load(sums)
        lanes = [builder.extract_element(found, ir.IntType(32)(lane)) for lane in range(8)]
        return context.make_tuple(builder, signature.return_type, lanes)

    return types.UniTuple(types.float64, 8)(a, b), emit


eight_sums = cast("Callable[[Any, Any], tuple[float, ...]]", intrinsic(_eight_sums))

LANES = 64
SUMS = 4  # in turn, so that no sum waits for its previous addition


def _lanes_within(typing, row, tile, low, limits):
    """Tell which of LANES vectors may lie within their limits of a row: one bit each, uint64.

    The bound is ``low`` and the product of `row` [A] with each of `tile` [A, LANES], which holds the vectors times -2,
    all contiguous float32: so a coordinate of the row goes from memory to every lane without further arithmetic. A
    comparison with NaN counts as true.

    Every fourth coordinate goes to the same sum, and ``low`` to the first: A / 4 roundings of at most |x|² + 2 |x| |y|
    there and of 2 |x| |y| in the others, together less than the A roundings that `distances.bounds` allows for.
    """

    def emit(context, builder, signature, arguments):
        first, lanes, limit = (
            make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
            if isinstance(kind, types.Array)
        )
        vector = ir.VectorType(ir.FloatType(), LANES)

        def spread(value):
            one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.IntType(32)(0))
            return builder.shuffle_vector(
                one, ir.Constant(vector, ir.Undefined), ir.VectorType(ir.IntType(32), LANES)([0] * LANES)
            )

        def loaded(data, place):
            at = builder.bitcast(builder.gep(data, [place]), vector.as_pointer())
            return builder.load(at, align=4)

        (length,) = cgutils.unpack_tuple(builder, first.shape)
        sums = [cgutils.alloca_once_value(builder, vector(None)) for _ in range(SUMS)]
        builder.store(spread(arguments[2]), sums[0])

        def add(axis, to):
            coordinate = spread(builder.load(builder.gep(first.data, [axis])))
            tile = loaded(lanes.data, builder.mul(axis, axis.type(LANES)))
            product = builder.fmul(coordinate, tile, flags=["contract"])
            builder.store(builder.fadd(builder.load(to), product, flags=["contract"]), to)

        whole = builder.sdiv(length, length.type(SUMS))
        with cgutils.for_range(builder, whole) as loop:
            for i, to in enumerate(sums):
                add(builder.add(builder.mul(loop.index, length.type(SUMS)), length.type(i)), to)
        with cgutils.for_range(builder, length, start=builder.mul(whole, length.type(SUMS))) as loop:
            add(loop.index, sums[0])
        halves = [builder.fadd(builder.load(sums[i]), builder.load(sums[i + 2])) for i in range(2)]
        bound = builder.fadd(*halves)
        within = builder.fcmp_unordered("<=", bound, loaded(limit.data, length.type(0)))
        return builder.bitcast(within, ir.IntType(LANES))

    return types.uint64(row, tile, low, limits), emit


lanes_within = cast("Callable[[Any, Any, Any, Any], int]", intrinsic(_lanes_within))
