//! The emulator of lane programs as a device: slow, and strict about races, bounds and numbers that nobody wrote.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ir::{
    DType, Tensor,
    lane::{self, emulate_all},
};

use crate::{
    Artifact, DeviceError, Options, RunError, Unfit,
    engine::{Engine, Loaded, States},
    executor::{poison, port_bytes},
    manifest::{BufferRef, KernelId, Param, Program, TargetCode},
};

/// The lane programs of one target.
pub(crate) struct LanePrograms(Vec<Arc<lane::Program>>);

impl LanePrograms {
    /// Reads the programs of a target that has them.
    pub fn read(artifact: &Artifact, target: &TargetCode) -> Result<Self, DeviceError> {
        let mut programs = Vec::new();
        for kernel in &target.kernels {
            let launch = kernel.launch.as_ref();
            let launch = launch.expect("the target was found by its launches");
            let unreadable = |reason: String| DeviceError::LaneProgram {
                path: artifact.path().display().to_string(),
                kernel: kernel.name.clone(),
                reason,
            };
            let Some(lane) = launch.lane else {
                return Err(unreadable("it has no lane program".into()));
            };
            let text = artifact.text(lane)?;
            let program: lane::Program =
                serde_json::from_str(text).map_err(|e| unreadable(e.to_string()))?;
            let same = |(own, param): (&ir::tile::Array, &Param)| {
                own.dtype == param.dtype
                    && own.len == param.len as i64
                    && own.written == param.written
            };
            let params = program.params.iter().zip(&kernel.params);
            if program.params.len() != kernel.params.len() || !params.clone().all(same) {
                return Err(unreadable(
                    "its parameters are not those of the kernel".into(),
                ));
            }
            lane::verify(&program).map_err(|e| unreadable(e.to_string()))?;
            programs.push(Arc::new(program));
        }
        Ok(Self(programs))
    }
}

impl LanePrograms {
    /// The program of a kernel.
    pub fn of(&self, kernel: KernelId) -> &Arc<lane::Program> {
        &self.0[kernel.0 as usize]
    }
}

impl Loaded for LanePrograms {
    fn describe(&self) -> String {
        "the emulator of lane programs".into()
    }

    fn engine(
        &self,
        artifact: &Arc<Artifact>,
        target: &TargetCode,
        program: &Program,
        _options: &Options,
        states: Option<States>,
    ) -> Result<Box<dyn Engine>, DeviceError> {
        let steps = program.steps.iter().map(|step| Launch {
            program: Arc::clone(self.of(step.kernel)),
            name: target.kernels[step.kernel.0 as usize].name.clone(),
            args: step.args.clone(),
            dispatches: 0,
        });
        let memory = Memory::new(artifact, program)?;
        let shared = states.and_then(|s| s.downcast::<StateMemory>().ok());
        let states = shared.unwrap_or_else(|| {
            let inputs = artifact.manifest().inputs.iter().enumerate();
            let all = inputs.filter(|(_, input)| input.is_state());
            let all = all.map(|(at, _)| (at, memory.inputs[at].clone()));
            Arc::new(Mutex::new(all.collect()))
        });
        Ok(Box::new(EmulatorEngine {
            memory,
            states,
            steps: steps.collect(),
        }))
    }
}

/// Why code for a target cannot be emulated, if it cannot.
pub(crate) fn unfit(target: &TargetCode, wanted: &str) -> Option<Unfit> {
    let reason = match target.kernels.iter().all(|k| k.launch.is_some()) {
        true if target.target == wanted => return None,
        true => "is another target",
        false => "has no lane programs",
    };
    Some(Unfit {
        target: target.target.clone(),
        reason: reason.into(),
    })
}

/// What the kernels of a program read and write.
pub(crate) struct Memory {
    artifact: Arc<Artifact>,
    arena: Vec<u8>,
    inputs: Vec<Vec<u8>>,
    outputs: Vec<Vec<u8>>,
}

/// States, by position among the inputs.
type StateMemory = Mutex<Vec<(usize, Vec<u8>)>>;

struct EmulatorEngine {
    /// States lie here while a step runs.
    memory: Memory,
    states: Arc<StateMemory>,
    steps: Vec<Launch>,
}

struct Launch {
    program: Arc<lane::Program>,
    /// The kernel's.
    name: String,
    args: Vec<BufferRef>,
    dispatches: u64,
}

impl Memory {
    /// Zeros, and weights, whose checksums are compared here.
    pub fn new(artifact: &Arc<Artifact>, program: &Program) -> Result<Self, DeviceError> {
        for arg in program.steps.iter().flat_map(|step| &step.args) {
            artifact.weight(*arg)?;
        }
        let [inputs, outputs] = port_bytes(artifact.manifest(), program);
        let zeros = |lens: &[u64]| lens.iter().map(|len| vec![0; *len as usize]).collect();
        Ok(Self {
            artifact: Arc::clone(artifact),
            arena: vec![0; program.arena.0 as usize],
            inputs: zeros(&inputs),
            outputs: zeros(&outputs),
        })
    }

    /// An input, to be written.
    pub fn input(&mut self, position: usize) -> &mut [u8] {
        &mut self.inputs[position]
    }

    /// The first numbers in a buffer.
    pub fn numbers(&self, buffer: BufferRef, dtype: DType, len: i64) -> Vec<f64> {
        let bytes = self.bytes(buffer)[..len as usize * dtype.size()].to_vec();
        let tensor = Tensor::from_bytes(dtype, &[len], bytes);
        tensor
            .expect("`artifact::check` held the lengths against the parameters")
            .into_values()
    }

    /// Stores numbers from the start of a buffer.
    pub fn store(&mut self, buffer: BufferRef, dtype: DType, values: Vec<f64>) {
        let tensor = Tensor::from_f64(dtype, &[values.len() as i64], values);
        let tensor = tensor.expect("a list has its own length");
        self.write(buffer, &tensor.bytes());
    }

    fn bytes(&self, buffer: BufferRef) -> &[u8] {
        match buffer {
            BufferRef::Weight { .. } => {
                let weight = self.artifact.weight(buffer);
                weight
                    .ok()
                    .flatten()
                    .expect("weights were read when the memory was made")
            }
            BufferRef::Arena { offset, len } => {
                &self.arena[offset as usize..(offset + len) as usize]
            }
            BufferRef::Input(i) => &self.inputs[i as usize],
            BufferRef::Output(i) => &self.outputs[i as usize],
        }
    }

    fn write(&mut self, buffer: BufferRef, bytes: &[u8]) {
        let to = match buffer {
            BufferRef::Arena { offset, .. } => &mut self.arena[offset as usize..],
            BufferRef::Output(i) => &mut self.outputs[i as usize][..],
            BufferRef::Input(i) => &mut self.inputs[i as usize][..],
            BufferRef::Weight { .. } => {
                unreachable!("`artifact::check` forbids writing to weights")
            }
        };
        to[..bytes.len()].copy_from_slice(bytes);
    }
}

impl EmulatorEngine {
    /// Puts the states into the memory, or back.
    fn swap_states(&mut self) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, bytes) in states.iter_mut() {
            std::mem::swap(bytes, &mut self.memory.inputs[*at]);
        }
    }

    fn emulate(&mut self, step: usize) -> Result<(), RunError> {
        let Launch {
            program,
            args,
            name,
            ..
        } = &self.steps[step];
        let (program, args) = (Arc::clone(program), args.clone());
        let arrays = program.params.iter().zip(&args);
        let mut params: Vec<Vec<f64>> = arrays
            .map(|(p, arg)| self.memory.numbers(*arg, p.dtype, p.len))
            .collect();
        emulate_all(&program, &mut params, None).map_err(|e| RunError::Emulator {
            kernel: name.clone(),
            fault: e.to_string(),
        })?;
        for ((p, arg), values) in program.params.iter().zip(&args).zip(params) {
            if p.written {
                self.memory.store(*arg, p.dtype, values);
            }
        }
        Ok(())
    }
}

impl Engine for EmulatorEngine {
    fn input(&mut self, position: usize) -> &mut [u8] {
        self.memory.input(position)
    }

    fn output(&self, position: usize) -> &[u8] {
        &self.memory.outputs[position]
    }

    fn poison(&mut self) -> Result<(), RunError> {
        for output in &mut self.memory.outputs {
            poison(output);
        }
        Ok(())
    }

    fn run(&mut self) -> Result<(), RunError> {
        (0..self.steps.len()).try_for_each(|step| self.run_step(step))
    }

    fn run_step(&mut self, step: usize) -> Result<(), RunError> {
        self.steps[step].dispatches += 1;
        self.swap_states();
        let done = self.emulate(step);
        self.swap_states();
        done
    }

    fn states(&self) -> States {
        Arc::clone(&self.states) as States
    }

    fn reset_states(&mut self) -> Result<(), RunError> {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.iter_mut().for_each(|(_, bytes)| bytes.fill(0));
        Ok(())
    }

    fn argument(&mut self, step: usize, argument: usize) -> Result<Vec<u8>, RunError> {
        let Launch { program, args, .. } = &self.steps[step];
        let (len, arg) = (program.params[argument].bytes(), args[argument]);
        self.swap_states();
        let bytes = self.memory.bytes(arg)[..len].to_vec();
        self.swap_states();
        Ok(bytes)
    }

    fn counts(&self) -> Vec<(u64, Duration)> {
        let steps = self.steps.iter();
        steps.map(|s| (s.dispatches, Duration::ZERO)).collect()
    }

    fn threads(&self) -> usize {
        1
    }

    fn reserved_bytes(&self) -> usize {
        let Memory {
            arena,
            inputs,
            outputs,
            ..
        } = &self.memory;
        arena.len() + inputs.iter().chain(outputs).map(Vec::len).sum::<usize>()
    }
}
