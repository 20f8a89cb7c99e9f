module {
  func.func @k1_permute(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xbf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xbf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = memref.alloc() : memref<32xbf16>
    %v3 = memref.reinterpret_cast %p0 to offset: [%c0], sizes: [32], strides: [1] : memref<?xbf16> to memref<32xbf16, strided<[1], offset: ?>>
    memref.copy %v3, %v2 : memref<32xbf16, strided<[1], offset: ?>> to memref<32xbf16>
    %v4 = bufferization.to_tensor %v2 restrict writable : memref<32xbf16>
    %v5 = arith.extf %v4 : tensor<32xbf16> to tensor<32xf32>
    %v6 = arith.truncf %v5 : tensor<32xf32> to tensor<32xbf16>
    %v7 = memref.reinterpret_cast %p1 to offset: [%c0], sizes: [32], strides: [1] : memref<?xbf16> to memref<32xbf16, strided<[1], offset: ?>>
    bufferization.materialize_in_destination %v6 in writable %v7 : (tensor<32xbf16>, memref<32xbf16, strided<[1], offset: ?>>) -> ()
    return
  }
}
