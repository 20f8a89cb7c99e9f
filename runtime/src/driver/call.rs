//! Tables of functions of a driver, and calls of them.

/// Declares a table of functions and how it is filled from a library. Each gives back an error's number, 0 for none.
macro_rules! functions {
    ($interface:expr, $since:literal; $($field:ident = $name:literal ($($arg:ty),*);)*) => {
        /// Functions of the driver, under the names of its headers; the library may export them under others.
        pub(super) struct Functions {
            $(pub $field: unsafe extern "C" fn($($arg),*) -> i32,)*
        }

        impl Functions {
            fn find(library: &libloading::os::unix::Library) -> Result<Self, crate::DriverError> {
                Ok(Self {
                    // SAFETY: the types are those of the vendor's headers, whose functions keep their types.
                    $($field: unsafe { crate::driver::find($interface, library, $name, $since)? },)*
                })
            }
        }
    };
}

/// A call whose answer is its error alone.
macro_rules! call {
    ($functions:expr, $function:ident($($arg:expr),*)) => {{
        // SAFETY: arguments are handles, addresses and lengths that the driver gave, that are made here, or that the trait's
        // caller vouches for; for each answer there is room.
        let code = unsafe { ($functions.$function)($($arg),*) };
        $crate::driver::done(stringify!($function), code)
    }};
}

/// A call whose first argument takes an answer.
macro_rules! made {
    ($functions:expr, $function:ident($first:expr $(, $arg:expr)*)) => {{
        let mut made = $first;
        $crate::driver::call!($functions, $function(&mut made $(, $arg)*)).map(|()| made)
    }};
}

pub(crate) use {call, functions, made};
