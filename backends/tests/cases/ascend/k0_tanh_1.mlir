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
    %c3 = arith.constant 256 : index
    %c4 = arith.constant -256 : index
    %c5 = arith.constant -1 : index
    %c6 = arith.constant 1848 : index
    %c7 = arith.constant 8 : index
    %c8 = arith.constant 32 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = memref.alloc() : memref<256xf32>
    linalg.fill ins(%c0 : f32) outs(%v2 : memref<256xf32>)
    scf.for %v3 = %c1 to %c3 step %c2 {
      %v4 = arith.muli %v1, %c4 : index
      %v5 = arith.muli %v3, %c5 : index
      %v6 = arith.addi %v4, %v5 : index
      %v7 = arith.addi %v6, %c6 : index
      %v8 = arith.cmpi sgt, %v7, %c1 : index
      scf.if %v8 {
        %v9 = arith.remsi %v3, %c7 : index
        %v10 = arith.muli %v1, %c8 : index
        %v11 = arith.divsi %v3, %c7 : index
        %v12 = arith.addi %v10, %v11 : index
        %v13 = memref.load %p1[%v12] : memref<?xi64>
        %v14 = arith.index_cast %v13 : i64 to index
        %v15 = arith.muli %v14, %c7 : index
        %v16 = arith.addi %v9, %v15 : index
        %v17 = memref.reinterpret_cast %p0 to offset: [%v16], sizes: [1], strides: [1] : memref<?xf32> to memref<1xf32, strided<[1], offset: ?>>
        %v18 = memref.subview %v2[%v3] [1] [1] : memref<256xf32> to memref<1xf32, strided<[1], offset: ?>>
        memref.copy %v17, %v18 : memref<1xf32, strided<[1], offset: ?>> to memref<1xf32, strided<[1], offset: ?>>
      }
    }
    %v19 = bufferization.to_tensor %v2 restrict writable : memref<256xf32>
    %v20 = math.tanh %v19 : tensor<256xf32>
    scf.for %v21 = %c1 to %c3 step %c2 {
      %v22 = arith.muli %v1, %c4 : index
      %v23 = arith.muli %v21, %c5 : index
      %v24 = arith.addi %v22, %v23 : index
      %v25 = arith.addi %v24, %c6 : index
      %v26 = arith.cmpi sgt, %v25, %c1 : index
      scf.if %v26 {
        %v27 = arith.muli %v1, %c3 : index
        %v28 = arith.divsi %v21, %c7 : index
        %v29 = arith.muli %v28, %c7 : index
        %v30 = arith.addi %v27, %v29 : index
        %v31 = arith.remsi %v21, %c7 : index
        %v32 = arith.addi %v30, %v31 : index
        %v33 = memref.reinterpret_cast %p2 to offset: [%v32], sizes: [1], strides: [1] : memref<?xf32> to memref<1xf32, strided<[1], offset: ?>>
        %v34 = tensor.extract_slice %v20[%v21] [1] [1] : tensor<256xf32> to tensor<1xf32>
        bufferization.materialize_in_destination %v34 in writable %v33 : (tensor<1xf32>, memref<1xf32, strided<[1], offset: ?>>) -> ()
      }
    }
    return
  }
}
