module {
  func.func @k0_matmul(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "mix", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 0 : index
    %c2 = arith.constant 64 : index
    %c3 = arith.constant 32 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = arith.index_cast %at_z : i32 to index
    %v3 = tensor.empty() : tensor<64x64xf32>
    %v4 = linalg.fill ins(%c0 : f32) outs(%v3 : tensor<64x64xf32>) -> tensor<64x64xf32>
    %v7:1 = scf.for %v5 = %c1 to %c2 step %c3 iter_args(%v6 = %v4) -> (tensor<64x64xf32>) {
      %v8 = memref.alloc() : memref<64x32xf32>
      %v9 = memref.reinterpret_cast %p0 to offset: [%v5], sizes: [64, 32], strides: [64, 1] : memref<?xf32> to memref<64x32xf32, strided<[64, 1], offset: ?>>
      memref.copy %v9, %v8 : memref<64x32xf32, strided<[64, 1], offset: ?>> to memref<64x32xf32>
      %v10 = bufferization.to_tensor %v8 restrict writable : memref<64x32xf32>
      %v11 = memref.alloc() : memref<32x64xf32>
      %v12 = arith.muli %v5, %c2 : index
      %v13 = memref.reinterpret_cast %p1 to offset: [%v12], sizes: [32, 64], strides: [64, 1] : memref<?xf32> to memref<32x64xf32, strided<[64, 1], offset: ?>>
      memref.copy %v13, %v11 : memref<32x64xf32, strided<[64, 1], offset: ?>> to memref<32x64xf32>
      %v14 = bufferization.to_tensor %v11 restrict writable : memref<32x64xf32>
      %v15 = linalg.matmul {input_precision = "ieee"} ins(%v10, %v14 : tensor<64x32xf32>, tensor<32x64xf32>) outs(%v6 : tensor<64x64xf32>) -> tensor<64x64xf32>
      scf.yield %v15 : tensor<64x64xf32>
    }
    %v16 = memref.reinterpret_cast %p2 to offset: [%c1], sizes: [64, 64], strides: [64, 1] : memref<?xf32> to memref<64x64xf32, strided<[64, 1], offset: ?>>
    bufferization.materialize_in_destination %v7#0 in writable %v16 : (tensor<64x64xf32>, memref<64x64xf32, strided<[64, 1], offset: ?>>) -> ()
    return
  }
}
