// RUN: janus-opt %s --janus-eliminate-guards --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @duplicate
func.func @duplicate(%c: i1, %d: i1, %x: i64) {
  // CHECK: janus.guard %arg0, <branch>, site 0
  janus.guard %c, <branch>, site 0
  // CHECK-NEXT: janus.guard %arg1, <branch>, site 1
  janus.guard %d, <branch>, site 1
  // Another kind, site or set of live values makes no difference.
  // CHECK-NEXT: return
  janus.guard %c, <value>, site 2 (%x : i64)
  return
}

// -----

// CHECK-LABEL: func.func @constant
func.func @constant() {
  %true = arith.constant true
  %false = arith.constant false
  // CHECK-NOT: site 0
  janus.guard %true, <branch>, site 0
  // CHECK: janus.guard %false, <branch>, site 1
  janus.guard %false, <branch>, site 1
  return
}

// -----

// CHECK-LABEL: func.func @dominating
func.func @dominating(%c: i1, %d: i1, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: janus.guard %arg0, <branch>, site 0
  janus.guard %c, <branch>, site 0
  scf.for %i = %c0 to %n step %c1 {
    // CHECK-NOT: site 1
    janus.guard %c, <branch>, site 1
    // CHECK: janus.guard %arg1, <branch>, site 2
    janus.guard %d, <branch>, site 2
    // CHECK-NOT: site 3
    janus.guard %d, <branch>, site 3
  }
  // The loop may not have run.
  // CHECK: janus.guard %arg1, <branch>, site 4
  janus.guard %d, <branch>, site 4
  return
}

// -----

// CHECK-LABEL: func.func @one_side_only
func.func @one_side_only(%c: i1, %d: i1) {
  scf.if %d {
    // CHECK: janus.guard %arg0, <branch>, site 0
    janus.guard %c, <branch>, site 0
  } else {
    // CHECK: janus.guard %arg0, <branch>, site 1
    janus.guard %c, <branch>, site 1
  }
  // CHECK: janus.guard %arg0, <branch>, site 2
  janus.guard %c, <branch>, site 2
  return
}

// -----

// CHECK-LABEL: func.func @branch_conditions
func.func @branch_conditions(%c: i1) {
  %true = arith.constant true
  %not = arith.xori %c, %true : i1
  scf.if %c {
    // CHECK-NOT: site 0
    janus.guard %c, <branch>, site 0
    // CHECK: janus.guard %{{.*}}, <branch>, site 1
    janus.guard %not, <branch>, site 1
  } else {
    // CHECK: janus.guard %arg0, <branch>, site 2
    janus.guard %c, <branch>, site 2
  }
  scf.if %c {
  } else {
    // CHECK-NOT: site 3
    janus.guard %not, <branch>, site 3
  }
  return
}

// -----

// CHECK-LABEL: func.func @connectives
func.func @connectives(%a: i1, %b: i1, %c: i1) {
  %true = arith.constant true
  %and = arith.andi %a, %b : i1
  %or = arith.ori %a, %c : i1
  %or2 = arith.ori %b, %c : i1
  %and2 = arith.andi %and, %c : i1
  // CHECK: site 0
  janus.guard %and, <branch>, site 0
  // CHECK-NOT: site 1{{$}}
  janus.guard %a, <branch>, site 1
  // CHECK-NOT: site 2{{$}}
  janus.guard %b, <branch>, site 2
  // CHECK-NOT: site 3{{$}}
  janus.guard %or, <branch>, site 3
  // CHECK: site 4
  janus.guard %and2, <branch>, site 4
  // CHECK-NOT: site 5{{$}}
  janus.guard %c, <branch>, site 5
  // CHECK: return
  return
}

// -----

// CHECK-LABEL: func.func @disjunction
func.func @disjunction(%a: i1, %b: i1) {
  %true = arith.constant true
  %or = arith.ori %a, %b : i1
  %not_a = arith.xori %a, %true : i1
  // CHECK: site 0
  janus.guard %or, <branch>, site 0
  // Either side may be the true one.
  // CHECK-NEXT: site 1
  janus.guard %a, <branch>, site 1
  scf.if %or {
  } else {
    // CHECK-NOT: site 2{{$}}
    janus.guard %not_a, <branch>, site 2
  }
  return
}

// -----

// CHECK-LABEL: func.func @comparisons
func.func @comparisons(%a: i64, %b: i64) {
  %slt = arith.cmpi slt, %a, %b : i64
  %sgt = arith.cmpi sgt, %b, %a : i64
  %sge = arith.cmpi sge, %a, %b : i64
  %ult = arith.cmpi ult, %a, %b : i64
  %eq = arith.cmpi eq, %a, %b : i64
  %ne = arith.cmpi ne, %b, %a : i64
  // CHECK: janus.guard %{{.*}}, <value>, site 0
  janus.guard %slt, <value>, site 0
  // CHECK-NOT: site 1{{$}}
  janus.guard %sgt, <value>, site 1
  // CHECK: janus.guard %{{.*}}, <value>, site 2
  janus.guard %ult, <value>, site 2
  scf.if %sge {
    // CHECK: scf.if
    // CHECK-NEXT: janus.guard %{{.*}}, <value>, site 3
    janus.guard %eq, <value>, site 3
  }
  scf.if %eq {
  } else {
    // CHECK-NOT: site 4{{$}}
    janus.guard %ne, <value>, site 4
  }
  return
}

// -----

// CHECK-LABEL: func.func @blocks
func.func @blocks(%c: i1, %d: i1) {
  // CHECK: site 0
  janus.guard %c, <branch>, site 0
  cf.cond_br %d, ^one, ^two
^one:
  // CHECK: site 1
  janus.guard %d, <branch>, site 1
  cf.br ^two
^two:
  // CHECK: site 2
  janus.guard %d, <branch>, site 2
  return
}

// -----

// Effects between two guards do not change a value.
// CHECK-LABEL: func.func @across_effects
func.func @across_effects(%c: i1) {
  // CHECK: site 0
  janus.guard %c, <branch>, site 0
  // CHECK-NEXT: janus.record site 1
  janus.record site 1
  // CHECK-NEXT: return
  janus.guard %c, <branch>, site 2
  return
}
