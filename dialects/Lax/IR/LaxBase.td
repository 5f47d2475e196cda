//===- LaxBase.td - The lax dialect, its types and base classes -----------===//
//
// Everything that the op files of the dialect share.
//
//===----------------------------------------------------------------------===//

#ifndef LAX_BASE
#define LAX_BASE

include "mlir/IR/OpBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "Lax/IR/LaxInterfaces.td"

//===----------------------------------------------------------------------===//
// Dialect
//===----------------------------------------------------------------------===//

def Lax_Dialect : Dialect {
  let name = "lax";
  let cppNamespace = "::mlir::lax";
  let summary = "Tensor algebra: the primitives of jax.lax";
  let description = [{
    One op per primitive of [`jax.lax`](https://docs.jax.dev/en/latest/jax.lax.html), by the same name and with the
    same meaning, on builtin ranked tensors. A parameter of a primitive is an attribute of the op by the same name: an
    int is an `i64` attribute, a tuple of ints a dense `i64` array, a flag a `bool` attribute, an enum a string; a dtype
    is the element type of the result. A Python scalar is not a tensor: it stays a builtin scalar, computed by `arith`.

    **Shapes.** No op broadcasts implicitly. Where a jaxpr mixes scalars with arrays, `lax.broadcast_in_dim` says so.
    Operands and results that must agree have exactly the same type, dynamic dims included.

    **Dynamic dims.** Where the shape of a result does not follow from the shapes of the operands, the op takes the
    operands `output_dims`: one `index` for each dynamic dim of the result, in order, and none if the shape is static.

    **Element types.** `i1` is bool, `iN` is signed, `uiN` unsigned, `f16`, `bf16`, `f32`, `f64`, and for a few ops
    `complex`. Arithmetic on integers wraps.

    **Purity.** Every op is pure: no op has undefined behaviour, so all may be moved, merged and dropped freely.

    Dense constants are `arith.constant`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
  private:
    // One for each file of ops.
    void registerContractionOps();
    void registerElementwiseOps();
    void registerIndexingOps();
    void registerRandomOps();
    void registerReductionOps();
    void registerShapeOps();
    void registerWindowOps();

  public:
  }];
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

defvar Lax_BoolTypes = [I1];
defvar Lax_IntTypes = [I8, I16, I32, I64, UI8, UI16, UI32, UI64];
defvar Lax_FloatTypes = [F16, BF16, F32, F64];
defvar Lax_ComplexTypes = [Complex<F32>, Complex<F64>];

def Lax_BoolTensor : RankedTensorOf<Lax_BoolTypes>;
def Lax_IntTensor : RankedTensorOf<Lax_IntTypes>;
def Lax_BoolOrIntTensor : RankedTensorOf<Lax_BoolTypes # Lax_IntTypes>;
def Lax_FloatTensor : RankedTensorOf<Lax_FloatTypes>;
def Lax_ComplexTensor : RankedTensorOf<Lax_ComplexTypes>;
/// Has an order and arithmetic.
def Lax_RealTensor : RankedTensorOf<Lax_IntTypes # Lax_FloatTypes>;
/// Has an order: bools too.
def Lax_OrderedTensor : RankedTensorOf<Lax_BoolTypes # Lax_IntTypes # Lax_FloatTypes>;
/// Has arithmetic.
def Lax_NumberTensor : RankedTensorOf<Lax_IntTypes # Lax_FloatTypes # Lax_ComplexTypes>;
def Lax_AnyTensor : RankedTensorOf<Lax_BoolTypes # Lax_IntTypes # Lax_FloatTypes # Lax_ComplexTypes>;

def Lax_ScalarIntTensor : 0DTensorOf<Lax_IntTypes>;
def Lax_IndexTensor : RankedTensorOf<Lax_IntTypes>;
/// Selects among two operands (bool) or several (i32).
def Lax_SelectorTensor : RankedTensorOf<[I1, I32]>;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

/// A string that is one of `values`.
class Lax_StringEnum<list<string> values>
    : ConfinedAttr<StrAttr, [AttrConstraint<
        CPred<"::llvm::is_contained({\"" # !interleave(values, "\", \"") # "\"}, "
              "::llvm::cast<::mlir::StringAttr>($_self).getValue())">,
        "one of " # !interleave(values, ", ")>]>;

def Lax_RoundingMethod : Lax_StringEnum<["away_from_zero", "to_nearest_even"]>;
def Lax_IndexMode : Lax_StringEnum<["clip", "fill", "promise_in_bounds"]>;
def Lax_SelectPrim : Lax_StringEnum<["ge", "le"]>;

def Lax_OptionalDims : DefaultValuedAttr<DenseI64ArrayAttr, "{}">;
def Lax_OptionalFlag : DefaultValuedAttr<BoolAttr, "false">;

//===----------------------------------------------------------------------===//
// Traits
//===----------------------------------------------------------------------===//

/// The op has no derivative, or one that is zero everywhere.
def Lax_NotDifferentiable : NativeOpTrait<"NotDifferentiable"> {
  let cppNamespace = "::mlir::lax";
}

/// The op has a reverse rule, written in C++: `buildVjp`.
def Lax_Differentiable : DeclareOpInterfaceMethods<Lax_DifferentiableOpInterface>;

/// The reverse rule in the notation of `LaxVjp.h`: `$g` is the cotangent of the result, `$x`, `$y` and `$z` are the
/// operands and
/// `$r` is the result, each read only where the rule names it. One expression for each operand; an empty one means
/// zero.
class Lax_VjpTerm<string expression> {
  string cpp = !subst("$g", "v.g()", !subst("$x", "v.operand(0)", !subst("$y", "v.operand(1)",
               !subst("$z", "v.operand(2)", !subst("$r", "v.result()", expression)))));
}
class Lax_VjpDefinition<list<string> expressions> : NativeOpTrait<"HasVjpRule", [], [{}],
    "::llvm::LogicalResult $cppClass::buildVjp(::mlir::lax::Vjp &v) {\n"
    # !interleave(!foreach(i, !range(!size(expressions)), !if(!empty(expressions[i]), "",
        "  if (v.wants(" # i # "))\n    v.add(" # i # ", " # Lax_VjpTerm<expressions[i]>.cpp # ");")), "\n")
    # "\n  return ::mlir::success();\n}\n"> {
  let cppNamespace = "::mlir::lax";
}
class Lax_Vjp<list<string> expressions>
    : TraitList<[DeclareOpInterfaceMethods<Lax_DifferentiableOpInterface>, Lax_VjpDefinition<expressions>]>;

/// Result element i depends on element i of each operand alone, and there is exactly one result.
/// (Upstream's trait, which checks the shapes; its companions Scalarizable, Vectorizable and Tensorizable do not apply:
/// lax ops exist on tensors only.)
defvar Lax_Elementwise = Elementwise;

/// `to` is `from` with another element type.
class Lax_SameShapeAs<string from, string to, string elementType>
    : TypesMatchWith<"'" # to # "' has the shape of '" # from # "' and element type " # elementType, from, to,
                     "::llvm::cast<::mlir::ShapedType>($_self).clone(" # elementType # ")">;

//===----------------------------------------------------------------------===//
// Base classes
//===----------------------------------------------------------------------===//

/// Where the reference of a primitive stands.
class Lax_Doc<string primitive> {
  string link = "\n\nPrimitive: [`jax.lax." # primitive # "`]"
                "(https://docs.jax.dev/en/latest/_autosummary/jax.lax." # primitive # ".html).\n";
}

class Lax_Op<string mnemonic, list<Trait> traits = []>
    : Op<Lax_Dialect, mnemonic, !listconcat([Pure], traits)>;

#endif // LAX_BASE
