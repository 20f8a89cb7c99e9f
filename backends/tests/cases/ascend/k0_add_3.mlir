module {
  func.func @k0_add(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant -8 : index
    %c2 = arith.constant 12 : index
    %c3 = arith.constant 0 : index
    %c4 = arith.constant 8 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = memref.alloc() : memref<8xf32>
    linalg.fill ins(%c0 : f32) outs(%v2 : memref<8xf32>)
    %v3 = arith.muli %v1, %c1 : index
    %v4 = arith.addi %v3, %c2 : index
    %v5 = arith.maxsi %v4, %c3 : index
    %v6 = arith.minsi %v5, %c4 : index
    %v7 = arith.muli %v1, %c4 : index
    %v8 = memref.reinterpret_cast %p0 to offset: [%v7], sizes: [8], strides: [1] : memref<?xf32> to memref<8xf32, strided<[1], offset: ?>>
    %v9 = memref.subview %v8[0] [%v6] [1] : memref<8xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v10 = memref.subview %v2[0] [%v6] [1] : memref<8xf32> to memref<?xf32, strided<[1]>>
    memref.copy %v9, %v10 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
    %v11 = bufferization.to_tensor %v2 restrict writable : memref<8xf32>
    %v12 = memref.alloc() : memref<8xf32>
    linalg.fill ins(%c0 : f32) outs(%v12 : memref<8xf32>)
    %v13 = arith.muli %v1, %c1 : index
    %v14 = arith.addi %v13, %c2 : index
    %v15 = arith.maxsi %v14, %c3 : index
    %v16 = arith.minsi %v15, %c4 : index
    %v17 = arith.muli %v1, %c4 : index
    %v18 = memref.reinterpret_cast %p1 to offset: [%v17], sizes: [8], strides: [1] : memref<?xf32> to memref<8xf32, strided<[1], offset: ?>>
    %v19 = memref.subview %v18[0] [%v16] [1] : memref<8xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v20 = memref.subview %v12[0] [%v16] [1] : memref<8xf32> to memref<?xf32, strided<[1]>>
    memref.copy %v19, %v20 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
    %v21 = bufferization.to_tensor %v12 restrict writable : memref<8xf32>
    %v22 = arith.addf %v11, %v21 : tensor<8xf32>
    %v23 = arith.muli %v1, %c1 : index
    %v24 = arith.addi %v23, %c2 : index
    %v25 = arith.maxsi %v24, %c3 : index
    %v26 = arith.minsi %v25, %c4 : index
    %v27 = arith.muli %v1, %c4 : index
    %v28 = memref.reinterpret_cast %p2 to offset: [%v27], sizes: [8], strides: [1] : memref<?xf32> to memref<8xf32, strided<[1], offset: ?>>
    %v29 = memref.subview %v28[0] [%v26] [1] : memref<8xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v30 = tensor.extract_slice %v22[0] [%v26] [1] : tensor<8xf32> to tensor<?xf32>
    bufferization.materialize_in_destination %v30 in writable %v29 : (tensor<?xf32>, memref<?xf32, strided<[1], offset: ?>>) -> ()
    return
  }
}
