module {
  func.func @k0_mul(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f16
    %c1 = arith.constant -256 : index
    %c2 = arith.constant 14784 : index
    %c3 = arith.constant 0 : index
    %c4 = arith.constant 256 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = memref.alloc() : memref<256xf16>
    linalg.fill ins(%c0 : f16) outs(%v2 : memref<256xf16>)
    %v3 = arith.muli %v1, %c1 : index
    %v4 = arith.addi %v3, %c2 : index
    %v5 = arith.maxsi %v4, %c3 : index
    %v6 = arith.minsi %v5, %c4 : index
    %v7 = arith.muli %v1, %c4 : index
    %v8 = memref.reinterpret_cast %p0 to offset: [%v7], sizes: [256], strides: [1] : memref<?xf16> to memref<256xf16, strided<[1], offset: ?>>
    %v9 = memref.subview %v8[0] [%v6] [1] : memref<256xf16, strided<[1], offset: ?>> to memref<?xf16, strided<[1], offset: ?>>
    %v10 = memref.subview %v2[0] [%v6] [1] : memref<256xf16> to memref<?xf16, strided<[1]>>
    memref.copy %v9, %v10 : memref<?xf16, strided<[1], offset: ?>> to memref<?xf16, strided<[1]>>
    %v11 = bufferization.to_tensor %v2 restrict writable : memref<256xf16>
    %v12 = arith.extf %v11 : tensor<256xf16> to tensor<256xf32>
    %v13 = arith.mulf %v12, %v12 : tensor<256xf32>
    %v14 = arith.truncf %v13 : tensor<256xf32> to tensor<256xf16>
    %v15 = arith.muli %v1, %c1 : index
    %v16 = arith.addi %v15, %c2 : index
    %v17 = arith.maxsi %v16, %c3 : index
    %v18 = arith.minsi %v17, %c4 : index
    %v19 = arith.muli %v1, %c4 : index
    %v20 = memref.reinterpret_cast %p1 to offset: [%v19], sizes: [256], strides: [1] : memref<?xf16> to memref<256xf16, strided<[1], offset: ?>>
    %v21 = memref.subview %v20[0] [%v18] [1] : memref<256xf16, strided<[1], offset: ?>> to memref<?xf16, strided<[1], offset: ?>>
    %v22 = tensor.extract_slice %v14[0] [%v18] [1] : tensor<256xf16> to tensor<?xf16>
    bufferization.materialize_in_destination %v22 in writable %v21 : (tensor<?xf16>, memref<?xf16, strided<[1], offset: ?>>) -> ()
    return
  }
}
