//! Copies that end by themselves.

/// When copies and products take effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Landing {
    /// When they are issued.
    #[default]
    Earliest,
    /// When a wait asks for them: boxes when no warp can go on without, products when a warp waits for them.
    Latest,
    /// Some at once and some later, by the seed.
    Seeded(u64),
}

/// Copies of a warp that are under way.
pub(super) struct Copies {
    under_way: Vec<Copy>,
    /// Groups that each lane has closed.
    closed: Vec<u64>,
}

/// A copy of one lane.
#[derive(Clone)]
pub(super) struct Copy {
    /// The step that started it.
    pub step: usize,
    pub lane: usize,
    /// Its group among those of the lane.
    group: u64,
    /// Shared array and offset.
    pub to: (u32, usize),
    /// Parameter and offset; zeros without.
    pub from: Option<(u32, usize)>,
    pub width: usize,
    /// Whether it has taken effect.
    pub early: bool,
}

impl Copies {
    pub fn new(lanes: usize) -> Self {
        Self {
            under_way: vec![],
            closed: vec![0; lanes],
        }
    }

    pub fn restart(&mut self) {
        self.under_way.clear();
        self.closed.fill(0);
    }

    pub fn start(
        &mut self,
        step: usize,
        lane: usize,
        to: (u32, usize),
        from: Option<(u32, usize)>,
        (width, early): (usize, bool),
    ) {
        let group = self.closed[lane];
        self.under_way.push(Copy {
            step,
            lane,
            group,
            to,
            from,
            width,
            early,
        });
    }

    /// Closes the open groups of these lanes.
    pub fn commit(&mut self, mask: u64) {
        super::ints::lanes_of(mask).for_each(|lane| self.closed[lane] += 1);
    }

    /// Takes the copies of these lanes that are not in their last `pending` groups, nor in an open one.
    pub fn wait(&mut self, mask: u64, pending: u32) -> Vec<Copy> {
        let closed = &self.closed;
        let ends =
            |c: &Copy| mask >> c.lane & 1 == 1 && c.group + u64::from(pending) < closed[c.lane];
        let (ended, rest) = self.under_way.drain(..).partition(ends);
        self.under_way = rest;
        ended
    }

    /// One that is under way.
    pub fn any(&self) -> Option<&Copy> {
        self.under_way.first()
    }
}
