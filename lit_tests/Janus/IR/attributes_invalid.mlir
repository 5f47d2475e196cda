// RUN: janus-opt %s --split-input-file --verify-diagnostics --allow-unregistered-dialect

// expected-error @+1 {{'janus.entry' needs 'janus.return_site'}}
func.func @entry_without_site() attributes {janus.entry} {
  return
}

// -----

// expected-error @+1 {{'janus.return_site' needs 'janus.entry'}}
func.func @site_without_entry() attributes {janus.return_site = 1 : i32} {
  return
}

// -----

// expected-error @+1 {{'janus.return_site' must be a non-negative i32}}
func.func @site_is_i32() attributes {janus.entry, janus.return_site = 1 : i64} {
  return
}

// -----

// expected-error @+1 {{'janus.phase' is a string attribute of a module}}
func.func @phase() attributes {janus.phase = "captured"} {
  return
}

// -----

// expected-error @+1 {{'janus.source' must be a string}}
func.func @source(%x: i64 {janus.source = 3 : i64}) {
  return
}

// -----

// expected-error @+1 {{'janus.dims' names 1 dims of an argument of rank 2}}
func.func @dims(%x: tensor<2x3xf32> {janus.dims = ["b"]}) {
  return
}

// -----

// expected-error @+1 {{'janus.dims' must be an array of strings}}
func.func @dims(%x: tensor<2xf32> {janus.dims = [2]}) {
  return
}

// -----

func.func @branch_on_loop(%c: i1) {
  // expected-error @+1 {{'janus.profile' must be a #janus.branch}}
  scf.if %c {
  } {janus.profile = #janus.trips<min = 1, max = 2>}
  return
}

// -----

func.func @trips_on_loop(%n: index) {
  // expected-error @+1 {{'janus.profile' must be a #janus.trips}}
  scf.for %i = %n to %n step %n {
  } {janus.profile = #janus.branch<taken = 1, not_taken = 2>}
  return
}

// -----

func.func @profile_elsewhere(%n: index) {
  // expected-error @+1 {{'janus.profile' belongs on branches, loops, indirect calls and reads}}
  %m = arith.addi %n, %n {janus.profile = #janus.branch<taken = 1, not_taken = 2>} : index
  return
}

// -----

// expected-error @+1 {{branch counts must not be negative}}
"test.op"() {a = #janus.branch<taken = -1, not_taken = 2>} : () -> ()

// -----

// expected-error @+1 {{trip counts must satisfy 0 <= min <= max}}
"test.op"() {a = #janus.trips<min = 3, max = 2>} : () -> ()

// -----

// expected-error @+1 {{trip counts are of at least one execution}}
"test.op"() {a = #janus.trips<min = 0, max = 0, executions = 0>} : () -> ()

// -----

func.func @callee_of_read(%o: !janus.object) {
  // expected-error @+1 {{'janus.profile' must be a #janus.constant_object}}
  %a = janus.get_attr %o "a" {janus.profile = #janus.branch<taken = 1, not_taken = 0>}
  return
}

// -----

func.func @profile_of_call(%f: !janus.object) {
  // expected-error @+1 {{'janus.profile' must be a #janus.callee}}
  janus.call_indirect %f() {janus.profile = #janus.constant_object<entry = 0, count = 1>} : () -> ()
  return
}

// -----

func.func @profile_of_unbox(%o: !janus.object) {
  // expected-error @+1 {{'janus.profile' must be a #janus.constant_number}}
  %n, %ok = janus.unbox %o number {janus.profile = #janus.constant_object<entry = 0, count = 1>} : i64
  return
}

// -----

func.func @other_number(%o: !janus.object) {
  // expected-error @+1 {{gives 'i64', its profile 'f64'}}
  %n, %ok = janus.unbox %o number {janus.profile = #janus.constant_number<value = 1.0 : f64, count = 1>} : i64
  return
}

// -----

func.func @negative_entry(%o: !janus.object) {
  // expected-error @+1 {{entries of the table of objects are not negative}}
  %a = janus.get_attr %o "a" {janus.profile = #janus.constant_object<entry = -1, count = 1>}
  return
}

// -----

func.func @negative_count(%o: !janus.object) {
  // expected-error @+1 {{counts must not be negative}}
  %a = janus.get_attr %o "a" {janus.profile = #janus.constant_object<entry = 1, count = -1>}
  return
}
