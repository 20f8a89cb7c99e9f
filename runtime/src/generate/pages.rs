//! Pages of states, which texts take when they grow and give back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::GenerateError;

/// The pages that no text has, the next one last.
pub(super) type Free = Arc<Mutex<Vec<i64>>>;

/// The pages of one text.
pub(super) struct Table {
    free: Free,
    /// Tokens of a page.
    page: usize,
    /// For each `page` tokens, -1 where there is none yet.
    pages: Vec<i64>,
    /// How many there are.
    taken: usize,
}

impl Table {
    /// No page yet, and room for so many.
    pub fn new(free: Free, page: usize, most: usize) -> Self {
        Self {
            free,
            page,
            pages: vec![-1; most],
            taken: 0,
        }
    }

    /// So many pages, of which no text has one.
    pub fn all_free(count: usize) -> Free {
        Arc::new(Mutex::new((0..count as i64).rev().collect()))
    }

    pub fn free(&self) -> &Free {
        &self.free
    }

    /// What the programs are given.
    pub fn pages(&self) -> &[i64] {
        &self.pages
    }

    fn lock(free: &Free) -> MutexGuard<'_, Vec<i64>> {
        // A thread that panicked left a list behind all the same.
        free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes pages for so many tokens.
    ///
    /// # Errors
    /// Other texts have them; then none is taken.
    pub fn grow(&mut self, tokens: usize) -> Result<(), GenerateError> {
        let wanted = tokens.div_ceil(self.page).saturating_sub(self.taken);
        let mut free = Self::lock(&self.free);
        let Some(left) = free.len().checked_sub(wanted) else {
            return Err(GenerateError::Pages {
                wanted,
                free: free.len(),
                page: self.page,
            });
        };
        for page in free.drain(left..).rev() {
            self.pages[self.taken] = page;
            self.taken += 1;
        }
        Ok(())
    }

    /// Gives pages back that so many tokens do not need.
    pub fn shrink(&mut self, tokens: usize) {
        let needed = tokens.div_ceil(self.page).min(self.taken);
        let unused = &mut self.pages[needed..self.taken];
        Self::lock(&self.free).extend(unused.iter().rev());
        unused.fill(-1);
        self.taken = needed;
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_go_from_text_to_text() {
        let free = Table::all_free(4);
        let mut first = Table::new(Arc::clone(&free), 2, 3);
        first.grow(3).unwrap();
        first.grow(4).unwrap();
        assert_eq!(first.pages(), [0, 1, -1]);
        let mut second = Table::new(free, 2, 3);
        second.grow(2).unwrap();
        let wrong = second.grow(6).unwrap_err();
        assert!(
            matches!(
                wrong,
                GenerateError::Pages {
                    wanted: 2,
                    free: 1,
                    page: 2
                }
            ),
            "{wrong}"
        );
        assert_eq!(second.pages(), [2, -1, -1]);
        first.shrink(1);
        second.grow(6).unwrap();
        assert_eq!(
            (first.pages(), second.pages()),
            (&[0, -1, -1][..], &[2, 1, 3][..])
        );
        drop(second);
        first.grow(6).unwrap();
        assert_eq!(first.pages(), [0, 2, 1]);
    }
}
