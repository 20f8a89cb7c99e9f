module {
  func.func @k0_layer_norm(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xi64> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p3: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p4: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p5: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 77 : index
    %c2 = arith.constant 20 : index
    %c3 = arith.constant 0 : index
    %c4 = arith.constant 20 : i32
    %c5 = arith.constant 2.0e1 : f32
    %c6 = arith.constant 1.0e-5 : f32
    %c7 = arith.constant 1540 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = memref.alloc() : memref<32xf32>
    linalg.fill ins(%c0 : f32) outs(%v1 : memref<32xf32>)
    %v2 = arith.divsi %v0, %c1 : index
    %v3 = arith.muli %v2, %c1 : index
    %v4 = arith.remsi %v0, %c1 : index
    %v5 = arith.addi %v3, %v4 : index
    %v6 = memref.load %p1[%v5] : memref<?xi64>
    %v7 = arith.index_cast %v6 : i64 to index
    %v8 = arith.muli %v7, %c2 : index
    %v9 = memref.reinterpret_cast %p0 to offset: [%v8], sizes: [20], strides: [1] : memref<?xf32> to memref<20xf32, strided<[1], offset: ?>>
    %v10 = memref.subview %v1[0] [20] [1] : memref<32xf32> to memref<20xf32, strided<[1]>>
    memref.copy %v9, %v10 : memref<20xf32, strided<[1], offset: ?>> to memref<20xf32, strided<[1]>>
    %v11 = bufferization.to_tensor %v1 restrict writable : memref<32xf32>
    %v12 = memref.alloc() : memref<32xf32>
    linalg.fill ins(%c0 : f32) outs(%v12 : memref<32xf32>)
    %v13 = arith.remsi %v0, %c1 : index
    %v14 = arith.muli %v13, %c2 : index
    %v15 = memref.reinterpret_cast %p2 to offset: [%v14], sizes: [20], strides: [1] : memref<?xf32> to memref<20xf32, strided<[1], offset: ?>>
    %v16 = memref.subview %v12[0] [20] [1] : memref<32xf32> to memref<20xf32, strided<[1]>>
    memref.copy %v15, %v16 : memref<20xf32, strided<[1], offset: ?>> to memref<20xf32, strided<[1]>>
    %v17 = bufferization.to_tensor %v12 restrict writable : memref<32xf32>
    %v18 = arith.addf %v11, %v17 : tensor<32xf32>
    %v19 = tensor.empty() : tensor<32xi32>
    %v20 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v19 : tensor<32xi32>) {
      ^bb0(%v21: i32):
      %v22 = linalg.index 0 : index
      %v23 = arith.index_cast %v22 : index to i32
      linalg.yield %v23 : i32
    } -> tensor<32xi32>
    %v24 = tensor.empty() : tensor<32xi32>
    %v25 = linalg.fill ins(%c4 : i32) outs(%v24 : tensor<32xi32>) -> tensor<32xi32>
    %v26 = arith.cmpi slt, %v20, %v25 : tensor<32xi32>
    %v27 = tensor.empty() : tensor<32xf32>
    %v28 = linalg.fill ins(%c0 : f32) outs(%v27 : tensor<32xf32>) -> tensor<32xf32>
    %v29 = arith.select %v26, %v18, %v28 : tensor<32xi1>, tensor<32xf32>
    %v30 = tensor.from_elements %c0 : tensor<f32>
    %v31 = linalg.reduce ins(%v29 : tensor<32xf32>) outs(%v30 : tensor<f32>) dimensions = [0] (%v32: f32, %v33: f32) {
      %v34 = arith.addf %v33, %v32 : f32
      linalg.yield %v34 : f32
    }
    %v35 = tensor.extract %v31[] : tensor<f32>
    %v36 = arith.divf %v35, %c5 : f32
    %v37 = tensor.empty() : tensor<32xf32>
    %v38 = linalg.fill ins(%v36 : f32) outs(%v37 : tensor<32xf32>) -> tensor<32xf32>
    %v39 = arith.subf %v18, %v38 : tensor<32xf32>
    %v40 = arith.mulf %v39, %v39 : tensor<32xf32>
    %v41 = tensor.empty() : tensor<32xi32>
    %v42 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v41 : tensor<32xi32>) {
      ^bb0(%v43: i32):
      %v44 = linalg.index 0 : index
      %v45 = arith.index_cast %v44 : index to i32
      linalg.yield %v45 : i32
    } -> tensor<32xi32>
    %v46 = tensor.empty() : tensor<32xi32>
    %v47 = linalg.fill ins(%c4 : i32) outs(%v46 : tensor<32xi32>) -> tensor<32xi32>
    %v48 = arith.cmpi slt, %v42, %v47 : tensor<32xi32>
    %v49 = tensor.empty() : tensor<32xf32>
    %v50 = linalg.fill ins(%c0 : f32) outs(%v49 : tensor<32xf32>) -> tensor<32xf32>
    %v51 = arith.select %v48, %v40, %v50 : tensor<32xi1>, tensor<32xf32>
    %v52 = tensor.from_elements %c0 : tensor<f32>
    %v53 = linalg.reduce ins(%v51 : tensor<32xf32>) outs(%v52 : tensor<f32>) dimensions = [0] (%v54: f32, %v55: f32) {
      %v56 = arith.addf %v55, %v54 : f32
      linalg.yield %v56 : f32
    }
    %v57 = tensor.extract %v53[] : tensor<f32>
    %v58 = arith.divf %v57, %c5 : f32
    %v59 = arith.addf %v58, %c6 : f32
    %v60 = math.rsqrt %v59 : f32
    %v61 = tensor.empty() : tensor<32xf32>
    %v62 = linalg.fill ins(%v60 : f32) outs(%v61 : tensor<32xf32>) -> tensor<32xf32>
    %v63 = arith.mulf %v39, %v62 : tensor<32xf32>
    %v64 = memref.alloc() : memref<32xf32>
    linalg.fill ins(%c0 : f32) outs(%v64 : memref<32xf32>)
    %v65 = memref.reinterpret_cast %p3 to offset: [%c3], sizes: [20], strides: [1] : memref<?xf32> to memref<20xf32, strided<[1], offset: ?>>
    %v66 = memref.subview %v64[0] [20] [1] : memref<32xf32> to memref<20xf32, strided<[1]>>
    memref.copy %v65, %v66 : memref<20xf32, strided<[1], offset: ?>> to memref<20xf32, strided<[1]>>
    %v67 = bufferization.to_tensor %v64 restrict writable : memref<32xf32>
    %v68 = arith.mulf %v63, %v67 : tensor<32xf32>
    %v69 = memref.alloc() : memref<32xf32>
    linalg.fill ins(%c0 : f32) outs(%v69 : memref<32xf32>)
    %v70 = memref.reinterpret_cast %p4 to offset: [%c3], sizes: [20], strides: [1] : memref<?xf32> to memref<20xf32, strided<[1], offset: ?>>
    %v71 = memref.subview %v69[0] [20] [1] : memref<32xf32> to memref<20xf32, strided<[1]>>
    memref.copy %v70, %v71 : memref<20xf32, strided<[1], offset: ?>> to memref<20xf32, strided<[1]>>
    %v72 = bufferization.to_tensor %v69 restrict writable : memref<32xf32>
    %v73 = arith.addf %v68, %v72 : tensor<32xf32>
    %v74 = arith.divsi %v0, %c1 : index
    %v75 = arith.muli %v74, %c7 : index
    %v76 = arith.remsi %v0, %c1 : index
    %v77 = arith.muli %v76, %c2 : index
    %v78 = arith.addi %v75, %v77 : index
    %v79 = memref.reinterpret_cast %p5 to offset: [%v78], sizes: [20], strides: [1] : memref<?xf32> to memref<20xf32, strided<[1], offset: ?>>
    %v80 = tensor.extract_slice %v73[0] [20] [1] : tensor<32xf32> to tensor<20xf32>
    bufferization.materialize_in_destination %v80 in writable %v79 : (tensor<20xf32>, memref<20xf32, strided<[1], offset: ?>>) -> ()
    return
  }
}
