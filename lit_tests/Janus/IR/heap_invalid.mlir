// RUN: janus-opt %s --split-input-file --verify-diagnostics

func.func @nameless(%o: !janus.object) {
  // expected-error @+1 {{needs the name of an attribute}}
  %a = janus.get_attr %o ""
  return
}

// -----

func.func @number_of_array(%o: !janus.object) {
  // expected-error @+1 {{of kind 'number' does not give 'tensor<4xf32>'}}
  %x, %ok = janus.unbox %o number : tensor<4xf32>
  return
}

// -----

func.func @array_of_number(%o: !janus.object) {
  // expected-error @+1 {{of kind 'numpy' does not give 'i64'}}
  %x, %ok = janus.unbox %o numpy dtype 4 : i64
  return
}

// -----

func.func @without_dtype(%o: !janus.object) {
  // expected-error @+1 {{of an array needs its dtype}}
  %x, %ok = janus.unbox %o jax : tensor<4xf32>
  return
}

// -----

func.func @scalar_of_rank_1(%o: !janus.object) {
  // expected-error @+1 {{of a NumPy scalar has rank 0}}
  %x, %ok = janus.unbox %o npscalar dtype 11 : tensor<4xf32>
  return
}

// -----

func.func @entry(%i: i64) {
  // expected-error @+1 {{non-negative}}
  %o = janus.object -1
  return
}

// -----

// expected-error @+1 {{'janus.internal' is a unit attribute of a function that is no entry}}
func.func @f() attributes {janus.entry, janus.return_site = 0 : i32, janus.internal} {
  return
}

// -----

func.func @invoke(%o: !janus.object) -> !janus.object {
  // expected-error@+1 {{has 4 arguments, of 3 at most}}
  %r = janus.invoke %o(%o, %o, %o, %o)
  return %r : !janus.object
}
