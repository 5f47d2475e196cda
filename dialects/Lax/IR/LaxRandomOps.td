//===- LaxRandomOps.td - Random bits --------------------------------------===//

#ifndef LAX_RANDOM_OPS
#define LAX_RANDOM_OPS

include "Lax/IR/LaxBase.td"

def Lax_Threefry2x32Op : Lax_Op<"threefry2x32", [
    Lax_NotDifferentiable, AllTypesMatch<["key0", "key1", "x0", "x1", "out0", "out1"]>]> {
  let summary = "Threefry-2x32 hash with 20 rounds";
  let description = [{
    Encrypts the counter words (`x0`, `x1`) under the key words (`key0`, `key1`), element by element, by
    Threefry-2x32-20: the generator under `jax.random`.

    ```mlir
    %out0, %out1 = lax.threefry2x32 %k0, %k1, %x0, %x1 : tensor<8xui32>
    ```
  }] # "\n\nPrimitive: `threefry2x32`, see [`jax.random`](https://docs.jax.dev/en/latest/jax.random.html).\n";
  let arguments = (ins RankedTensorOf<[UI32]>:$key0, RankedTensorOf<[UI32]>:$key1,
                       RankedTensorOf<[UI32]>:$x0, RankedTensorOf<[UI32]>:$x1);
  let results = (outs RankedTensorOf<[UI32]>:$out0, RankedTensorOf<[UI32]>:$out1);
  let assemblyFormat = "$key0 `,` $key1 `,` $x0 `,` $x1 attr-dict `:` type($out0)";
}

#endif // LAX_RANDOM_OPS
