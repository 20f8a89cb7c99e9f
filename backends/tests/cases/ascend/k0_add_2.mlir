module {
  func.func @k0_add(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 0 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = memref.alloc() : memref<16xf32>
    linalg.fill ins(%c0 : f32) outs(%v2 : memref<16xf32>)
    %v3 = memref.reinterpret_cast %p0 to offset: [%c1], sizes: [12], strides: [1] : memref<?xf32> to memref<12xf32, strided<[1], offset: ?>>
    %v4 = memref.subview %v2[0] [12] [1] : memref<16xf32> to memref<12xf32, strided<[1]>>
    memref.copy %v3, %v4 : memref<12xf32, strided<[1], offset: ?>> to memref<12xf32, strided<[1]>>
    %v5 = bufferization.to_tensor %v2 restrict writable : memref<16xf32>
    %v6 = memref.alloc() : memref<16xf32>
    linalg.fill ins(%c0 : f32) outs(%v6 : memref<16xf32>)
    %v7 = memref.reinterpret_cast %p1 to offset: [%c1], sizes: [12], strides: [1] : memref<?xf32> to memref<12xf32, strided<[1], offset: ?>>
    %v8 = memref.subview %v6[0] [12] [1] : memref<16xf32> to memref<12xf32, strided<[1]>>
    memref.copy %v7, %v8 : memref<12xf32, strided<[1], offset: ?>> to memref<12xf32, strided<[1]>>
    %v9 = bufferization.to_tensor %v6 restrict writable : memref<16xf32>
    %v10 = arith.addf %v5, %v9 : tensor<16xf32>
    %v11 = memref.reinterpret_cast %p2 to offset: [%c1], sizes: [12], strides: [1] : memref<?xf32> to memref<12xf32, strided<[1], offset: ?>>
    %v12 = tensor.extract_slice %v10[0] [12] [1] : tensor<16xf32> to tensor<12xf32>
    bufferization.materialize_in_destination %v12 in writable %v11 : (tensor<12xf32>, memref<12xf32, strided<[1], offset: ?>>) -> ()
    return
  }
}
