// RUN: janus-opt %s --split-input-file --verify-diagnostics

func.func @types(%x: tensor<8xf32>, %y: tensor<?xf32>) {
  // expected-error @+1 {{failed to verify that all of {lhs, rhs, result} have same type}}
  %0 = "lax.add"(%x, %y) : (tensor<8xf32>, tensor<?xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @bools(%x: tensor<8xi1>) {
  // expected-error @+1 {{operand #0 must be}}
  %0 = lax.add %x, %x : tensor<8xi1>
  return
}

// -----

func.func @comparison(%x: tensor<8xf32>) {
  // expected-error @+1 {{'result' has the shape of 'lhs'}}
  %0 = "lax.lt"(%x, %x) : (tensor<8xf32>, tensor<8xf32>) -> tensor<4xi1>
  return
}

// -----

func.func @integer_pow(%x: tensor<8xi32>) {
  // expected-error @+1 {{raises an integer to a negative power}}
  %0 = lax.integer_pow %x y = -1 : tensor<8xi32>
  return
}

// -----

func.func @rounding(%x: tensor<8xf32>) {
  // expected-error @+1 {{one of away_from_zero, to_nearest_even}}
  %0 = lax.round %x "up" : tensor<8xf32>
  return
}

// -----

func.func @pow(%x: tensor<8xf32>, %y: tensor<8xf64>) {
  // expected-error @+1 {{float exponent of another element type}}
  %0 = lax.pow %x, %y : tensor<8xf32>, tensor<8xf64>
  return
}

// -----

func.func @bitcast(%x: tensor<8xf32>) {
  // expected-error @+1 {{expects a minor dim of size 2}}
  %0 = lax.bitcast_convert_type %x : tensor<8xf32> -> tensor<4xf64>
  return
}

// -----

func.func @cases(%p: tensor<8xi1>, %x: tensor<8xf32>) {
  // expected-error @+1 {{selects among 3 cases with a bool}}
  %0 = lax.select_n %p, %x, %x, %x : tensor<8xi1>, tensor<8xf32>
  return
}

// -----

func.func @which(%p: tensor<i1>, %x: tensor<8xf32>) {
  // expected-error @+1 {{shape}}
  %0 = lax.select_n %p, %x, %x : tensor<i1>, tensor<8xf32>
  return
}

// -----

func.func @iota() {
  // expected-error @+1 {{dimension is 1, which is not in [0, 1)}}
  %0 = lax.iota dimension = 1 : tensor<8xi32>
  return
}

// -----

func.func @output_dims(%x: tensor<8xf32>) {
  // expected-error @+1 {{has 0 output dims, but the result has 1 dynamic dims}}
  %0 = lax.reshape %x : tensor<8xf32> -> tensor<?xf32>
  return
}

// -----

func.func @broadcast(%x: tensor<3xf32>) {
  // expected-error @+1 {{broadcasts dim 0 of size 3 to size 8}}
  %0 = lax.broadcast_in_dim %x dims = [1] : tensor<3xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @broadcast_order(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{broadcast_dimensions does not ascend}}
  %0 = lax.broadcast_in_dim %x dims = [1, 0] : tensor<4x8xf32> -> tensor<8x4xf32>
  return
}

// -----

func.func @reshape(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{makes 30 elements of 32}}
  %0 = lax.reshape %x : tensor<4x8xf32> -> tensor<30xf32>
  return
}

// -----

func.func @squeeze(%x: tensor<1x8xf32>) {
  // expected-error @+1 {{drops dim 1 of size 8}}
  %0 = lax.squeeze %x dims = [1] : tensor<1x8xf32> -> tensor<1xf32>
  return
}

// -----

func.func @permutation(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{permutation holds 1 twice}}
  %0 = lax.transpose %x permutation = [1, 1] : tensor<4x8xf32> -> tensor<8x8xf32>
  return
}

// -----

func.func @transpose(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{the result has size 4 in dim 0, expected 8}}
  %0 = lax.transpose %x permutation = [1, 0] : tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @concatenate(%x: tensor<4x8xf32>, %y: tensor<4x7xf32>) {
  // expected-error @+1 {{has operands of sizes 8 and 7 in dim 1}}
  %0 = lax.concatenate %x, %y dimension = 0 : (tensor<4x8xf32>, tensor<4x7xf32>) -> tensor<8x8xf32>
  return
}

// -----

func.func @split(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{cuts 3 off an axis of size 4}}
  %0:2 = lax.split %x axis = 0 sizes = [1, 2] : tensor<4x8xf32> -> tensor<1x8xf32>, tensor<2x8xf32>
  return
}

// -----

func.func @pad(%x: tensor<4xf32>, %v: tensor<f32>) {
  // expected-error @+1 {{the result has size 6 in dim 0, expected 8}}
  %0 = lax.pad %x, %v low = [1] high = [0] interior = [1] : tensor<4xf32>, tensor<f32> -> tensor<6xf32>
  return
}

// -----

func.func @reduce(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{axes holds 2, which is not in [0, 2)}}
  %0 = lax.reduce_sum %x axes = [2] : tensor<4x8xf32> -> tensor<4xf32>
  return
}

// -----

func.func @reduce_shape(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{the result has size 4 in dim 0, expected 8}}
  %0 = lax.reduce_max %x axes = [0] : tensor<4x8xf32> -> tensor<4xf32>
  return
}

// -----

func.func @argmax(%x: tensor<4x0xf32>) {
  // expected-error @+1 {{searches an empty axis}}
  %0 = lax.argmax %x axes = [1] : tensor<4x0xf32> -> tensor<4xi32>
  return
}

// -----

func.func @scan(%x: tensor<4xf32>) {
  // expected-error @+1 {{axis is 1, which is not in [0, 1)}}
  %0 = lax.cumsum %x axis = 1 : tensor<4xf32>
  return
}

// -----

func.func @sort(%x: tensor<4xf32>) {
  // expected-error @+1 {{num_keys is 2, expected 1 to 1}}
  %0 = lax.sort %x dimension = 0 num_keys = 2 is_stable = true : tensor<4xf32>
  return
}

// -----

func.func @top_k(%x: tensor<4xf32>) {
  // expected-error @+1 {{k is 5, which the axis does not hold}}
  %0:2 = lax.top_k %x k = 5 axis = 0 : tensor<4xf32> -> tensor<5xf32>, tensor<5xi32>
  return
}

// -----

func.func @slice(%x: tensor<4xf32>) {
  // expected-error @+1 {{reaches 5 in dim 0 of size 4}}
  %0 = lax.slice %x start = [1] limit = [5] strides = [1] : tensor<4xf32> -> tensor<4xf32>
  return
}

// -----

func.func @slice_order(%x: tensor<4xf32>) {
  // expected-error @+1 {{starts at 3 above its limit 2 in dim 0}}
  %0 = lax.slice %x start = [3] limit = [2] strides = [1] : tensor<4xf32> -> tensor<0xf32>
  return
}

// -----

func.func @dynamic_slice(%x: tensor<4x8xf32>, %i: tensor<i32>) {
  // expected-error @+1 {{has 1 start indices for an operand of rank 2}}
  %0 = lax.dynamic_slice %x[%i] : tensor<4x8xf32>[tensor<i32>] -> tensor<2x2xf32>
  return
}

// -----

func.func @update(%x: tensor<4xf32>, %u: tensor<5xf32>, %i: tensor<i32>) {
  // expected-error @+1 {{has a slice of size 5 in dim 0 of size 4}}
  %0 = lax.dynamic_update_slice %x, %u[%i] : tensor<4xf32>, tensor<5xf32>[tensor<i32>]
  return
}

// -----

func.func @gather_components(%x: tensor<4x8xf32>, %i: tensor<3x2xi32>) {
  // expected-error @+1 {{index vectors have 2 components, but start_index_map has 1}}
  %0 = lax.gather %x, %i offset_dims = [1] collapsed_slice_dims = [0] start_index_map = [0] slice_sizes = [1, 8]
      mode = "clip" : tensor<4x8xf32>, tensor<3x2xi32> -> tensor<3x8xf32>
  return
}

// -----

func.func @gather_collapsed(%x: tensor<4x8xf32>, %i: tensor<3x1xi32>) {
  // expected-error @+1 {{drops dim 0 of slice size 2, expected at most 1}}
  %0 = lax.gather %x, %i offset_dims = [1] collapsed_slice_dims = [0] start_index_map = [0] slice_sizes = [2, 8]
      mode = "clip" : tensor<4x8xf32>, tensor<3x1xi32> -> tensor<3x8xf32>
  return
}

// -----

func.func @gather_mode(%x: tensor<4x8xf32>, %i: tensor<3x1xi32>) {
  // expected-error @+1 {{one of clip, fill, promise_in_bounds}}
  %0 = lax.gather %x, %i offset_dims = [1] collapsed_slice_dims = [0] start_index_map = [0] slice_sizes = [1, 8]
      mode = "wrap" : tensor<4x8xf32>, tensor<3x1xi32> -> tensor<3x8xf32>
  return
}

// -----

func.func @gather_fill(%x: tensor<4x8xf32>, %i: tensor<3x1xi32>) {
  // expected-error @+1 {{has a fill_value of another type than the elements}}
  %0 = lax.gather %x, %i offset_dims = [1] collapsed_slice_dims = [0] start_index_map = [0] slice_sizes = [1, 8]
      mode = "fill" fill_value = 0.0 : f64 : tensor<4x8xf32>, tensor<3x1xi32> -> tensor<3x8xf32>
  return
}

// -----

func.func @scatter(%x: tensor<4x8xf32>, %i: tensor<3x1xi32>, %u: tensor<2x8xf32>) {
  // expected-error @+1 {{updates has size 2 in batch dim 0, but the indices have 3}}
  %0 = lax.scatter_add %x, %i, %u update_window_dims = [1] inserted_window_dims = [0]
      scatter_dims_to_operand_dims = [0] mode = "fill" : tensor<4x8xf32>, tensor<3x1xi32>, tensor<2x8xf32>
  return
}

// -----

func.func @scatter_window(%x: tensor<4x8xf32>, %i: tensor<3x1xi32>, %u: tensor<3x9xf32>) {
  // expected-error @+1 {{updates have size 9 in dim 1, more than the operand's 8 in dim 1}}
  %0 = lax.scatter %x, %i, %u update_window_dims = [1] inserted_window_dims = [0]
      scatter_dims_to_operand_dims = [0] mode = "fill" : tensor<4x8xf32>, tensor<3x1xi32>, tensor<3x9xf32>
  return
}

// -----

func.func @dot_general(%a: tensor<4x8xf32>, %b: tensor<7x2xf32>) {
  // expected-error @+1 {{contracting dims 1 and 0 differ in size: 8 and 7}}
  %0 = lax.dot_general %a, %b contracting = [1] x [0] : (tensor<4x8xf32>, tensor<7x2xf32>) -> tensor<4x2xf32>
  return
}

// -----

func.func @dot_general_shape(%a: tensor<4x8xf32>, %b: tensor<8x2xf32>) {
  // expected-error @+1 {{the result has size 2 in dim 0, expected 4}}
  %0 = lax.dot_general %a, %b contracting = [1] x [0] : (tensor<4x8xf32>, tensor<8x2xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @dot_general_batch(%a: tensor<4x8xf32>, %b: tensor<8x2xf32>) {
  // expected-error @+1 {{dim 1 of lhs is both a batch and a contracting dim}}
  %0 = lax.dot_general %a, %b batch = [1] x [0] contracting = [1] x [0]
      : (tensor<4x8xf32>, tensor<8x2xf32>) -> tensor<8x4x2xf32>
  return
}

// -----

func.func @conv_specs(%x: tensor<1x8x8x4xf32>, %k: tensor<3x3x4x16xf32>) {
  // expected-error @+1 {{rhs_spec holds 3 twice}}
  %0 = lax.conv_general_dilated %x, %k specs = [0, 3, 1, 2] x [3, 3, 0, 1] -> [0, 3, 1, 2]
      : (tensor<1x8x8x4xf32>, tensor<3x3x4x16xf32>) -> tensor<1x6x6x16xf32>
  return
}

// -----

func.func @conv_features(%x: tensor<1x8x8x4xf32>, %k: tensor<3x3x3x16xf32>) {
  // expected-error @+1 {{the kernel has 3 input features, expected 4}}
  %0 = lax.conv_general_dilated %x, %k specs = [0, 3, 1, 2] x [3, 2, 0, 1] -> [0, 3, 1, 2]
      : (tensor<1x8x8x4xf32>, tensor<3x3x3x16xf32>) -> tensor<1x6x6x16xf32>
  return
}

// -----

func.func @window(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{the result has size 4 in dim 0, expected 3}}
  %0 = lax.reduce_window_sum %x window [2, 2] : tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @window_strides(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{window_strides holds 0, expected at least 1}}
  %0 = lax.reduce_window_sum %x window [2, 2] (strides = [0, 1]) : tensor<4x8xf32> -> tensor<4x7xf32>
  return
}

// -----

func.func @window_parameter(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{unknown window parameter 'stride'}}
  %0 = lax.reduce_window_sum %x window [2, 2] (stride = [1, 1]) : tensor<4x8xf32> -> tensor<3x7xf32>
  return
}
