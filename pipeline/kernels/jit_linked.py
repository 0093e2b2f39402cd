"""Compile a kernel that is made of many small functions.

numba compiles each function for each combination of types that it is called with, optimizes it together with all that it calls,
and makes machine code of that, though only the outermost is called from Python. A parser of 170 small functions takes 30 s so.

`linked` functions are compiled once, for the types that their parameters are annotated with: int, bool, or Annotated[Any, a
type of numba]. They are not optimized, they get no machine code, and they are not cached. An `entry` links all that it calls,
directly or not, and is optimized as one module: a third of the time, and faster code. Neither may allocate or `raise`: they are
compiled without numba's runtime, which counts the references of arrays at each call, and without passes that they do not need.
"""

import functools
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import numba
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import NativeLowering

from pipeline.kernels import BOUNDSCHECK


class _NoEnvironment:
    """Stands for the code generator where numba would store an object that compiled functions raise exceptions with."""

    @staticmethod
    def set_env(_name: str, _environment: Any) -> None:
        """Store nothing: there is no machine code."""


class _Unfinished(JITCodeLibrary):  # type: ignore[misc]
    """The library of a linked function: what it calls is neither linked nor optimized, and nothing is made executable."""

    codegen = _NoEnvironment

    def finalize(self) -> None:
        self._raise_if_finalized()
        self._finalized = True

    def _optimize_functions(self, module: Any) -> None:
        """Leave that to the entry, but for what numba also does here."""
        module.data_layout = self._codegen._data_layout

    def get_pointer_to_function(self, _name: str) -> int:
        self._ensure_finalized()
        return 0


class _Linked(JITCodeLibrary):  # type: ignore[misc]
    """The library of an entry: it links what its functions call, and what those call."""

    def finalize(self) -> None:
        found: dict[Any, None] = {}
        waiting: list[Any] = [*self._linking_libraries]
        while waiting:
            library = waiting.pop()
            if library not in found:
                found[library] = None
                waiting += library._linking_libraries
        self._linking_libraries[:] = found
        super().finalize()

    def _optimize_final_module(self) -> None:
        """Make what was linked private first: LLVM may then change its parameters, and inline what is called once."""
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage.name == "linkonce_odr":
                function.linkage = "internal"
        super()._optimize_final_module()


# Passes for what linked functions do not have: closures, `with`, array expressions, branches on the types of arguments.
_NOT_NEEDED = (
    "WithLifting", "InlineClosureLikes", "RewriteSemanticConstants", "DeadBranchPrune", "GenericRewrites",
    "RewriteDynamicRaises", "MakeFunctionToJitFunction", "FindLiterallyCalls", "LiteralUnroll",
    "LiteralPropagationSubPipelinePass", "InlineOverloads", "NopythonRewrites", "NoPythonSupportedFeatureValidation",
    "AnnotateTypes", "DumpParforDiagnostics",
)  # fmt: skip


def _compiler(library: type[JITCodeLibrary]) -> type[CompilerBase]:
    """Return numba's compiler, but for the class of the libraries that functions are lowered into."""

    class Lowering(NativeLowering):  # type: ignore[misc]
        _name = f"lowering_{library.__name__}"

        def run_pass(self, state: Any) -> Any:
            state.library = library(state.targetctx.codegen(), state.func_id.func_qualname)
            state.library.enable_object_caching()
            return super().run_pass(state)

    lowering = register_pass(mutates_CFG=True, analysis_only=False)(Lowering)

    class Compiler(CompilerBase):  # type: ignore[misc]
        def define_pipelines(self) -> list[PassManager]:
            passes = PassManager(library.__name__)
            for made, what in DefaultPassBuilder.define_nopython_pipeline(self.state).passes:
                if made.__name__ not in _NOT_NEEDED:
                    passes.add_pass(lowering if made is NativeLowering else made, what)
            passes.finalize()
            return [passes]

    return Compiler


_jit = functools.partial(numba.njit, nogil=True, boundscheck=BOUNDSCHECK, no_cfunc_wrapper=True, _nrt=False)

entry = _jit(cache=True, pipeline_class=_compiler(_Linked))
_linked = _jit(no_cpython_wrapper=True, pipeline_class=_compiler(_Unfinished))


def linked(function: Callable[..., Any]) -> Any:
    """A function for entries and other linked functions, compiled when the first of them is."""
    kernel = _linked(function)
    call_template = kernel.get_call_template

    def note(compiled: Any) -> None:  # and not enter it among what Python finds by the types of its arguments
        kernel.overloads[tuple(compiled.signature.args)] = compiled

    def compile_once(arguments: Any, named: Any) -> Any:
        if not kernel.overloads:
            kernel.compile(_annotated(function))
            kernel.compile = lambda _types: None  # other types are converted to those
        return call_template(arguments, named)

    def refuse(*arguments: Any, **named: Any) -> None:
        raise TypeError(
            f"{function.__module__}.{function.__name__} is called by kernels only; make it a jit_linked.entry"
        )

    kernel.add_overload, kernel.get_call_template, kernel._compile_for_args = note, compile_once, refuse
    return kernel


def _annotated(function: Callable[..., Any]) -> tuple[Any, ...]:
    hints = get_type_hints(function, include_extras=True)
    hints.pop("return", None)
    plain = {int: numba.int64, bool: numba.boolean}
    return tuple(get_args(hint)[1] if get_origin(hint) is Annotated else plain[hint] for hint in hints.values())
