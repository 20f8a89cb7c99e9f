module {
  func.func @k0_tanh(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xi64> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 8 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = memref.alloc() : memref<8xf32>
    %v3 = memref.load %p1[%c0] : memref<?xi64>
    %v4 = arith.index_cast %v3 : i64 to index
    %v5 = arith.muli %v4, %c1 : index
    %v6 = memref.reinterpret_cast %p0 to offset: [%v5], sizes: [8], strides: [1] : memref<?xf32> to memref<8xf32, strided<[1], offset: ?>>
    memref.copy %v6, %v2 : memref<8xf32, strided<[1], offset: ?>> to memref<8xf32>
    %v7 = bufferization.to_tensor %v2 restrict writable : memref<8xf32>
    %v8 = math.tanh %v7 : tensor<8xf32>
    %v9 = memref.reinterpret_cast %p2 to offset: [%c0], sizes: [8], strides: [1] : memref<?xf32> to memref<8xf32, strided<[1], offset: ?>>
    bufferization.materialize_in_destination %v8 in writable %v9 : (tensor<8xf32>, memref<8xf32, strided<[1], offset: ?>>) -> ()
    return
  }
}
