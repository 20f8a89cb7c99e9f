module {
  func.func @k0_mul(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 8 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = memref.alloc() : memref<8xf16>
    %v3 = arith.muli %v1, %c0 : index
    %v4 = memref.reinterpret_cast %p0 to offset: [%v3], sizes: [8], strides: [1] : memref<?xf16> to memref<8xf16, strided<[1], offset: ?>>
    memref.copy %v4, %v2 : memref<8xf16, strided<[1], offset: ?>> to memref<8xf16>
    %v5 = bufferization.to_tensor %v2 restrict writable : memref<8xf16>
    %v6 = arith.extf %v5 : tensor<8xf16> to tensor<8xf32>
    %v7 = arith.mulf %v6, %v6 : tensor<8xf32>
    %v8 = arith.truncf %v7 : tensor<8xf32> to tensor<8xf16>
    %v9 = arith.muli %v1, %c0 : index
    %v10 = memref.reinterpret_cast %p1 to offset: [%v9], sizes: [8], strides: [1] : memref<?xf16> to memref<8xf16, strided<[1], offset: ?>>
    bufferization.materialize_in_destination %v8 in writable %v10 : (tensor<8xf16>, memref<8xf16, strided<[1], offset: ?>>) -> ()
    return
  }
}
