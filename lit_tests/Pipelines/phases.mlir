// RUN: janus-opt %s --janus-phase-captured | FileCheck %s --check-prefix=CAPTURED
// RUN: janus-opt %s --janus-phase-speculated | FileCheck %s --check-prefix=SPECULATED
// RUN: janus-opt %s --janus-phase-captured | janus-opt --janus-phase-speculated | FileCheck %s --check-prefix=SPECULATED
// RUN: janus-opt %s --janus-phase-speculated | janus-opt --janus-phase-speculated | FileCheck %s --check-prefix=SPECULATED
// RUN: janus-opt %s --janus-phase-speculated | not janus-opt --janus-phase-captured 2>&1 | FileCheck %s --check-prefix=PAST
// RUN: janus-opt --help | FileCheck %s --check-prefix=HELP

// CAPTURED: module attributes {janus.phase = "captured"}
// SPECULATED: module attributes {janus.phase = "speculated"}
// PAST: error: the module is in phase 'speculated', past 'captured'

// HELP-DAG: --janus-phase-captured
// HELP-DAG: --janus-phase-speculated
// HELP-DAG: --janus-phase-differentiated
// HELP-DAG: --janus-phase-linalg
// HELP-DAG: --janus-phase-codegen
// HELP-DAG: --janus-phase-llvm

// CAPTURED-COUNT-3: janus.guard
// SPECULATED: janus.guard %{{.*}}, <branch>, site 1
// SPECULATED-NOT: janus.guard
func.func @f(%n: i32, %c: i1) -> i64 attributes {janus.entry, janus.return_site = 0 : i32} {
  janus.guard %c, <branch>, site 1
  janus.guard %c, <branch>, site 2
  %x = arith.extsi %n : i32 to i64
  %sum, %overflow = janus.add_overflow %x, %x
  %true = arith.constant true
  %fits = arith.xori %overflow, %true : i1
  janus.guard %fits, <overflow>, site 3
  return %sum : i64
}
