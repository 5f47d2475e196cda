//===- Passes.td - Passes on the janus dialect --------------*- tablegen -*-===//

#ifndef JANUS_TRANSFORMS_PASSES_TD
#define JANUS_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def EliminateGuardsPass : Pass<"janus-eliminate-guards"> {
  let summary = "Drop guards whose condition is known to hold";
  let description = [{
    Drops each `janus.guard` whose condition is constantly true, was guarded before on every way to it, or
    follows from such a condition, from the branches and loops around it, and from the ranges of integers:

    * after `janus.guard %c`, `%c` is true, and with it both operands of `%c = arith.andi %a, %b : i1`;
    * in the first region of `scf.if %c`, `%c` is true, and in the second it is false; in the body of an `scf.while` its
      condition is true, and in that of an `scf.for` the induction variable lies within the bounds;
    * `arith.xori %a, true` is true where `%a` is known to be false, and the other way round, and so are
      comparisons with the opposite predicate: `slt %a, %b` and `sge %a, %b`;
    * comparisons of integers are facts `a - b <= c`, from which others follow: `i < n` implies `i < n + 1`, and `i < n`
      with `n <= d` implies `i < d`; a number that loops only count up is at least what it started from.

    Comparisons that are decided so become constants, and overflow ops that cannot overflow plain
    arithmetic with `overflow<nsw>`. Nothing is moved. What is learnt inside a region is forgotten at its end.

    ```mlir
    janus.guard %c, <branch>, site 1
    scf.for %i = %lb to %ub step %s {
      janus.guard %c, <branch>, site 2     // dropped
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def PruneBranchesPass : Pass<"janus-prune-branches"> {
  let summary = "Turn branches that have gone one way into guards";
  let description = [{
    An `scf.if` that by its profile `#janus.branch` has gone one way only, at least `threshold` times, becomes a guard of kind `branch`
    and the ops of that side. The guard leaves to the `janus.frame` at the beginning of the other side, or else to
    the nearest one before the branch that no effect separates from it. Without such a frame the branch stays.

    ```mlir
    janus.frame site 4 (%x : f64)
    %r = scf.if %p -> f64 {
      scf.yield %x : f64
    } else {
      %y = math.sqrt %x : f64
      scf.yield %y : f64
    } {janus.profile = #janus.branch<taken = 100, not_taken = 0>}
    // becomes
    janus.frame site 4 (%x : f64)
    janus.guard %p, <branch>, site 4 (%x : f64)
    ```
  }];
  let options = [Option<"threshold", "threshold", "int64_t", "32",
                        "How often a branch must have gone one way">];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def DevirtualisePass : Pass<"janus-devirtualise"> {
  let summary = "Turn calls of objects into direct calls of the functions they were";
  let description = [{
    A `janus.call_indirect` that by its profile `#janus.callee` has always called one function, at least `threshold` times, becomes
    a guard that the object is that function, and a `func.call`. Any other becomes a `janus.deopt`, since only Python can make the call.
    Both leave to the nearest `janus.frame` before the call that no effect separates from it, the deopt only to one that does not
    start the whole call again. Where there is no such frame, it is an error.

    ```mlir
    janus.frame restart site 2
    %r = janus.call_indirect %f(%x) {janus.profile = #janus.callee<function = @f, entry = 3, count = 40>} : (f64) -> f64
    // becomes
    %expected = janus.object 3
    %same = janus.is %f, %expected
    janus.guard %same, <value>, restart site 2
    %r = func.call @f(%x) : (f64) -> f64
    ```
  }];
  let options = [Option<"threshold", "threshold", "int64_t", "32", "How often the function must have been called">];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::ub::UBDialect"];
}

def FoldAttributesPass : Pass<"janus-fold-attributes"> {
  let summary = "Turn reads that always found the same into constants";
  let description = [{
    A `janus.get_attr` or `janus.get_item` that by its profile `#janus.constant_object` has always found one object, at least `threshold`
    times, becomes that object, under a guard that it does so again; a `janus.unbox` that by its profile `#janus.constant_number` has always
    found one number becomes the number. The guard leaves to the nearest `janus.frame` before the read that no effect separates from it;
    without one the read stays as it is.

    ```mlir
    janus.frame restart site 2
    %n, %ok = janus.unbox %o number {janus.profile = #janus.constant_number<value = 3 : i64, count = 40>} : i64
    // becomes
    %n, %ok = janus.unbox %o number : i64
    %equal = arith.cmpi eq, %n, %c3 : i64
    %same = arith.andi %ok, %equal : i1
    janus.guard %same, <value>, restart site 2    // and where %n was used, 3 is
    ```
  }];
  let options = [Option<"threshold", "threshold", "int64_t", "32", "How often the same must have been found">];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def UnrollLoopsPass : Pass<"janus-unroll-loops"> {
  let summary = "Unroll loops of a small stable trip count";
  let description = [{
    An `scf.for` with constant bounds becomes as many copies of its body as it has iterations. An `scf.for` or `scf.while` that by its profile
    `#janus.trips` has always run equally often, in at least `threshold` executions, becomes copies too, under guards of kind
    `trips` that it runs as often again; these leave to the nearest `janus.frame` before the loop. An `scf.while` whose iterations
    have effects needs one that restarts.

    ```mlir
    janus.frame site 1 (%x : f64)
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> f64 {
      %b = arith.mulf %a, %a : f64
      scf.yield %b : f64
    } {janus.profile = #janus.trips<min = 2, max = 2, executions = 50>}
    // becomes
    %p = ...  // 1 < n and n <= 2
    janus.guard %p, <trips>, site 1 (%x : f64)
    %b0 = arith.mulf %x, %x : f64
    %b1 = arith.mulf %b0, %b0 : f64
    ```
  }];
  let options = [Option<"maxTrips", "max-trips", "uint64_t", "8", "The most iterations of a loop that is unrolled">,
                 Option<"maxOps", "max-ops", "uint64_t", "128", "The most ops that a loop is unrolled to">,
                 Option<"threshold", "threshold", "int64_t", "32",
                        "How often a loop must have run, always as many iterations">];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def RaiseLoopsPass : Pass<"janus-raise-loops"> {
  let summary = "Turn while loops that count into for loops";
  let description = [{
    An `scf.while` that goes on as long as a carried integer is below a bound from outside, and adds one to it in each iteration, becomes an
    `scf.for`. That says how often it runs, and what values the counter takes. The first region may compute more, if that is pure, and
    may hold the iteration as a branch on the same condition.

    ```mlir
    %r = scf.while (%i = %c0) : (i64) -> i64 {
      %more = arith.cmpi slt, %i, %n : i64
      scf.condition(%more) %i : i64
    } do {
    ^bb0(%i: i64):
      %next = arith.addi %i, %c1 : i64
      scf.yield %next : i64
    }
    // becomes
    scf.for %i = %c0 to %n step %c1 : i64 { ... }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def HoistGuardsPass : Pass<"janus-hoist-guards"> {
  let summary = "Check guards of loops once, in front of the loop";
  let description = [{
    Takes a guard that each iteration of a loop executes out of the loop, if its condition

    * is the same in each iteration, or
    * holds in all iterations of an `scf.for` of step 1 if it holds in the first and in the last one: comparisons of
      multiples of the induction variable, and flags of overflow.

    If the loop may run not at all, the guard only counts where it does. A guard in front of the loop leaves to its own site, if
    that restarts the call, or if the live values come from outside the loop and the loop has no effect; otherwise to
    the nearest `janus.frame` before the loop, if there is one. Guards by which the runtime learns (of branches, values and types) keep
    their site. Loops from within which the function returns are left alone.

    ```mlir
    scf.for %i = %c0 to %n step %c1 {
      %ok = arith.cmpi ult, %i, %length : index
      janus.guard %ok, <bounds>, restart site 3
      ...
    }
    // becomes
    %ok = ...  // %n <= 0, or both 0 and %n - 1 are below %length
    janus.guard %ok, <bounds>, restart site 3
    scf.for %i = %c0 to %n step %c1 { ... }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def MergeGuardsPass : Pass<"janus-merge-guards"> {
  let summary = "Check neighbouring guards at once";
  let description = [{
    Two guards of one block, of the same kind or with the same site, with no effect between them, become one at the place of the
    first, with its site, if the condition of the second can be computed there without relying on the first. Guards by which the runtime
    learns (of branches, values and types) are merged with none but those of the same site.

    ```mlir
    janus.guard %a, <overflow>, site 1 (%x : i64)
    janus.guard %b, <overflow>, site 2 (%x, %y : i64, i64)
    // becomes
    %both = arith.andi %a, %b : i1
    janus.guard %both, <overflow>, site 1 (%x : i64)
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def FlattenBranchesPass : Pass<"janus-flatten-branches"> {
  let summary = "Compute both sides of short branches with guards";
  let description = [{
    An `scf.if` whose sides are few scalar ops without effects, and guards, becomes these ops and selections: the guards would keep LLVM
    from doing so. A guard then only counts where the branch would have gone to its side.

    ```mlir
    %r = scf.if %c -> (i64) {
      scf.yield %x : i64
    } else {
      %y, %overflow = janus.add_overflow %x, %c1
      %fits = arith.xori %overflow, %true : i1
      janus.guard %fits, <overflow>, site 1 (%x : i64)
      scf.yield %y : i64
    }
    // becomes
    %y, %overflow = janus.add_overflow %x, %c1
    %fits = arith.xori %overflow, %true : i1
    %ok = arith.ori %c, %fits : i1
    janus.guard %ok, <overflow>, site 1 (%x : i64)
    %r = arith.select %c, %x, %y : i64
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def EraseFramesPass : Pass<"janus-erase-frames"> {
  let summary = "Drop frames";
  let description = [{
    Erases each `janus.frame`, once no pass will assume anything any more: what is live in a frame only would be kept alive for nothing.

    ```mlir
    janus.frame site 1 (%x : f64)   // dropped
    ```
  }];
}

#endif // JANUS_TRANSFORMS_PASSES_TD
