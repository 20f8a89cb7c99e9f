module {
  func.func @k0_exp(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 0 : index
    %c2 = arith.constant 1 : index
    %c3 = arith.constant 256 : index
    %c4 = arith.constant -256 : index
    %c5 = arith.constant -1 : index
    %c6 = arith.constant 2772 : index
    %c7 = arith.constant 924 : index
    %c8 = arith.constant 3 : index
    %c9 = arith.constant 77 : index
    %c10 = arith.constant 12 : index
    %c11 = arith.constant 231 : index
    %c12 = arith.constant 4 : index
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
        %v9 = arith.muli %v1, %c3 : index
        %v10 = arith.addi %v9, %v3 : index
        %v11 = arith.divsi %v10, %c7 : index
        %v12 = arith.muli %v11, %c7 : index
        %v13 = arith.muli %v1, %c3 : index
        %v14 = arith.addi %v13, %v3 : index
        %v15 = arith.remsi %v14, %c8 : index
        %v16 = arith.addi %v12, %v15 : index
        %v17 = arith.muli %v1, %c3 : index
        %v18 = arith.addi %v17, %v3 : index
        %v19 = arith.divsi %v18, %c8 : index
        %v20 = arith.remsi %v19, %c9 : index
        %v21 = arith.muli %v20, %c10 : index
        %v22 = arith.addi %v16, %v21 : index
        %v23 = arith.muli %v1, %c3 : index
        %v24 = arith.addi %v23, %v3 : index
        %v25 = arith.divsi %v24, %c11 : index
        %v26 = arith.remsi %v25, %c12 : index
        %v27 = arith.muli %v26, %c8 : index
        %v28 = arith.addi %v22, %v27 : index
        %v29 = memref.reinterpret_cast %p0 to offset: [%v28], sizes: [1], strides: [1] : memref<?xf32> to memref<1xf32, strided<[1], offset: ?>>
        %v30 = memref.subview %v2[%v3] [1] [1] : memref<256xf32> to memref<1xf32, strided<[1], offset: ?>>
        memref.copy %v29, %v30 : memref<1xf32, strided<[1], offset: ?>> to memref<1xf32, strided<[1], offset: ?>>
      }
    }
    %v31 = bufferization.to_tensor %v2 restrict writable : memref<256xf32>
    %v32 = math.exp %v31 : tensor<256xf32>
    scf.for %v33 = %c1 to %c3 step %c2 {
      %v34 = arith.muli %v1, %c4 : index
      %v35 = arith.muli %v33, %c5 : index
      %v36 = arith.addi %v34, %v35 : index
      %v37 = arith.addi %v36, %c6 : index
      %v38 = arith.cmpi sgt, %v37, %c1 : index
      scf.if %v38 {
        %v39 = arith.muli %v1, %c3 : index
        %v40 = arith.addi %v39, %v33 : index
        %v41 = arith.divsi %v40, %c7 : index
        %v42 = arith.muli %v41, %c7 : index
        %v43 = arith.muli %v1, %c3 : index
        %v44 = arith.addi %v43, %v33 : index
        %v45 = arith.remsi %v44, %c8 : index
        %v46 = arith.addi %v42, %v45 : index
        %v47 = arith.muli %v1, %c3 : index
        %v48 = arith.addi %v47, %v33 : index
        %v49 = arith.divsi %v48, %c8 : index
        %v50 = arith.remsi %v49, %c9 : index
        %v51 = arith.muli %v50, %c8 : index
        %v52 = arith.addi %v46, %v51 : index
        %v53 = arith.muli %v1, %c3 : index
        %v54 = arith.addi %v53, %v33 : index
        %v55 = arith.divsi %v54, %c11 : index
        %v56 = arith.remsi %v55, %c12 : index
        %v57 = arith.muli %v56, %c11 : index
        %v58 = arith.addi %v52, %v57 : index
        %v59 = memref.reinterpret_cast %p1 to offset: [%v58], sizes: [1], strides: [1] : memref<?xf32> to memref<1xf32, strided<[1], offset: ?>>
        %v60 = tensor.extract_slice %v32[%v33] [1] [1] : tensor<256xf32> to tensor<1xf32>
        bufferization.materialize_in_destination %v60 in writable %v59 : (tensor<1xf32>, memref<1xf32, strided<[1], offset: ?>>) -> ()
      }
    }
    return
  }
}
