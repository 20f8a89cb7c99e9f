module {
  func.func @k1_permute(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = memref.alloc() : memref<32xf32>
    %v3 = memref.reinterpret_cast %p0 to offset: [%c0], sizes: [32], strides: [1] : memref<?xf32> to memref<32xf32, strided<[1], offset: ?>>
    memref.copy %v3, %v2 : memref<32xf32, strided<[1], offset: ?>> to memref<32xf32>
    %v4 = bufferization.to_tensor %v2 restrict writable : memref<32xf32>
    %v5 = memref.reinterpret_cast %p1 to offset: [%c0], sizes: [32], strides: [1] : memref<?xf32> to memref<32xf32, strided<[1], offset: ?>>
    bufferization.materialize_in_destination %v4 in writable %v5 : (tensor<32xf32>, memref<32xf32, strided<[1], offset: ?>>) -> ()
    return
  }
}
