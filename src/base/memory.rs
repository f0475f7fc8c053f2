//! How much memory is allocated, counted where it is: at the allocator.
//!
//! The count is exact and costs two atomic additions an allocation. Resident memory says less: what is freed is not handed back
//! at once, and what is mapped is not there before it is written to.

use std::alloc::System;

use cap::Cap;

/// The system allocator, counted. It sets no limit of its own: reaching one would end the process.
#[global_allocator]
static COUNTED: Cap<System> = Cap::new(System, usize::MAX);

/// Bytes allocated now, by all threads together.
pub fn allocated_bytes() -> i64 {
    i64::try_from(COUNTED.allocated()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allocated_is_counted_until_it_is_freed() {
        const LARGE: usize = 64 << 20;
        let before = allocated_bytes();
        let block = vec![0_u8; LARGE];
        let with = allocated_bytes();
        drop(block);
        let after = allocated_bytes();
        // Other tests of this process allocate meanwhile, but not so much.
        let large = i64::try_from(LARGE).expect("small enough");
        assert!(with - before > large / 2, "{before} {with}");
        assert!(with - after > large / 2, "{with} {after}");
    }
}
