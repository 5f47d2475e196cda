//===- Passes.td - Passes on the janus dialect --------------*- tablegen -*-===//

#ifndef JANUS_TRANSFORMS_PASSES_TD
#define JANUS_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def EliminateGuardsPass : Pass<"janus-eliminate-guards"> {
  let summary = "Drop guards whose condition is known to hold";
  let description = [{
    Drops each `janus.guard` whose condition is constantly true, was guarded before on every way to it, or
    follows from such a condition and from the branches around it:

    * after `janus.guard %c`, `%c` is true, and with it both operands of `%c = arith.andi %a, %b : i1`;
    * in the first region of `scf.if %c`, `%c` is true, and in the second it is false;
    * `arith.xori %a, true` is true where `%a` is known to be false, and the other way round, and so are
      comparisons with the opposite predicate: `slt %a, %b` and `sge %a, %b`.

    Nothing is moved. What is learnt inside a region is forgotten at its end.

    ```mlir
    janus.guard %c, <branch>, site 1
    scf.for %i = %lb to %ub step %s {
      janus.guard %c, <branch>, site 2     // dropped
    }
    ```
  }];
}

#endif // JANUS_TRANSFORMS_PASSES_TD
