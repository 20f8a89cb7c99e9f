use std::collections::BTreeMap;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let g = ir::text::parse(&std::fs::read_to_string(&a[1]).unwrap()).unwrap();
    let sizes = BTreeMap::from([(ir::Symbol::new("batch"), a[2].parse().unwrap()), (ir::Symbol::new("seq"), a[3].parse().unwrap())]);
    let g = g.bind(&sizes).unwrap();
    let t = backends::resolve("cpu").unwrap();
    let p = passes::plan(&g, &BTreeMap::new(), &t, &|k| autotune::first_choice(k, &t)).unwrap();
    for k in p.kernels {
        println!("{:?}", k.schedule);
        std::fs::write(format!("{}/{}.tile", a[4], k.program.name), k.program.to_string()).unwrap();
    }
}
