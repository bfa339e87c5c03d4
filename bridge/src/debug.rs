//! `Debug` that leaves out what people write, their names and addresses: they must not get into a log by accident.

/// Implements `Debug` of a struct such that it shows these fields, and that there are others.
macro_rules! debug_shows {
    ($type:ident: $($field:ident),*) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter
                    .debug_struct(stringify!($type))
                    $(.field(stringify!($field), &self.$field))*
                    .finish_non_exhaustive()
            }
        }
    };
}

/// Implements `Debug` of an enum such that it shows the variant's name alone.
macro_rules! debug_names {
    ($type:ty: $($variant:ident),*) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(match self {
                    $(Self::$variant { .. } => stringify!($variant),)*
                })
            }
        }
    };
}
