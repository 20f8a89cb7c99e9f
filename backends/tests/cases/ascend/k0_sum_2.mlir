module {
  func.func @k0_sum(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 0 : index
    %c2 = arith.constant 77 : index
    %c3 = arith.constant 1 : index
    %c4 = arith.constant 5390 : index
    %c5 = arith.constant 70 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = tensor.empty() : tensor<128xf32>
    %v3 = linalg.fill ins(%c0 : f32) outs(%v2 : tensor<128xf32>) -> tensor<128xf32>
    %v6:1 = scf.for %v4 = %c1 to %c2 step %c3 iter_args(%v5 = %v3) -> (tensor<128xf32>) {
      %v7 = memref.alloc() : memref<128xf32>
      linalg.fill ins(%c0 : f32) outs(%v7 : memref<128xf32>)
      %v8 = arith.muli %v0, %c4 : index
      %v9 = arith.muli %v4, %c5 : index
      %v10 = arith.addi %v8, %v9 : index
      %v11 = memref.reinterpret_cast %p0 to offset: [%v10], sizes: [70], strides: [1] : memref<?xf32> to memref<70xf32, strided<[1], offset: ?>>
      %v12 = memref.subview %v7[0] [70] [1] : memref<128xf32> to memref<70xf32, strided<[1]>>
      memref.copy %v11, %v12 : memref<70xf32, strided<[1], offset: ?>> to memref<70xf32, strided<[1]>>
      %v13 = bufferization.to_tensor %v7 restrict writable : memref<128xf32>
      %v14 = math.exp %v13 : tensor<128xf32>
      %v15 = arith.addf %v5, %v14 : tensor<128xf32>
      scf.yield %v15 : tensor<128xf32>
    }
    %v16 = math.tanh %v6#0 : tensor<128xf32>
    %v17 = arith.muli %v0, %c5 : index
    %v18 = memref.reinterpret_cast %p1 to offset: [%v17], sizes: [70], strides: [1] : memref<?xf32> to memref<70xf32, strided<[1], offset: ?>>
    %v19 = tensor.extract_slice %v16[0] [70] [1] : tensor<128xf32> to tensor<70xf32>
    bufferization.materialize_in_destination %v19 in writable %v18 : (tensor<70xf32>, memref<70xf32, strided<[1], offset: ?>>) -> ()
    return
  }
}
