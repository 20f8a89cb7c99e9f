module {
  func.func @k0_tanh(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xi64> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 0 : index
    %c2 = arith.constant 1 : index
    %c3 = arith.constant 16 : index
    %c4 = arith.constant -16 : index
    %c5 = arith.constant -1 : index
    %c6 = arith.constant 231 : index
    %c7 = arith.constant 8 : index
    %c8 = arith.constant 128 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = memref.alloc() : memref<16x8xf32>
    linalg.fill ins(%c0 : f32) outs(%v2 : memref<16x8xf32>)
    scf.for %v3 = %c1 to %c3 step %c2 {
      %v4 = arith.muli %v0, %c4 : index
      %v5 = arith.muli %v3, %c5 : index
      %v6 = arith.addi %v4, %v5 : index
      %v7 = arith.addi %v6, %c6 : index
      %v8 = arith.cmpi sgt, %v7, %c1 : index
      scf.if %v8 {
        %v9 = arith.muli %v0, %c3 : index
        %v10 = arith.addi %v9, %v3 : index
        %v11 = memref.load %p1[%v10] : memref<?xi64>
        %v12 = arith.index_cast %v11 : i64 to index
        %v13 = arith.muli %v12, %c7 : index
        %v14 = memref.reinterpret_cast %p0 to offset: [%v13], sizes: [1, 8], strides: [1, 1] : memref<?xf32> to memref<1x8xf32, strided<[1, 1], offset: ?>>
        %v15 = memref.subview %v2[%v3, 0] [1, 8] [1, 1] : memref<16x8xf32> to memref<1x8xf32, strided<[8, 1], offset: ?>>
        memref.copy %v14, %v15 : memref<1x8xf32, strided<[1, 1], offset: ?>> to memref<1x8xf32, strided<[8, 1], offset: ?>>
      }
    }
    %v16 = bufferization.to_tensor %v2 restrict writable : memref<16x8xf32>
    %v17 = math.tanh %v16 : tensor<16x8xf32>
    %v18 = arith.muli %v0, %c4 : index
    %v19 = arith.addi %v18, %c6 : index
    %v20 = arith.maxsi %v19, %c1 : index
    %v21 = arith.minsi %v20, %c3 : index
    %v22 = arith.muli %v0, %c8 : index
    %v23 = memref.reinterpret_cast %p2 to offset: [%v22], sizes: [16, 8], strides: [8, 1] : memref<?xf32> to memref<16x8xf32, strided<[8, 1], offset: ?>>
    %v24 = memref.subview %v23[0, 0] [%v21, 8] [1, 1] : memref<16x8xf32, strided<[8, 1], offset: ?>> to memref<?x8xf32, strided<[8, 1], offset: ?>>
    %v25 = tensor.extract_slice %v17[0, 0] [%v21, 8] [1, 1] : tensor<16x8xf32> to tensor<?x8xf32>
    bufferization.materialize_in_destination %v25 in writable %v24 : (tensor<?x8xf32>, memref<?x8xf32, strided<[8, 1], offset: ?>>) -> ()
    return
  }
}
