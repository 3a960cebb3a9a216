"""Sums of squares in vectors of eight, for code that Numba compiles.

Written in LLVM's own terms, which it lays out in the registers there are: it does not find the vectors itself, as the
fixed order of the sums keeps it from looking.
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

    Sum i takes the coordinates i, i + 8 and so on, in their order; those past the last whole eight are left out.
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
