//! One declaration per section of the format: it is the section's JSON Schema, and what its reader finds.

use super::document::Mapping;
use super::reader::Reader;
use crate::model::Span;

/// A mapping whose fields are declared by [`section!`].
pub(super) trait Section {
    const NAMES: &'static [&'static str];

    /// The fields as they are in a file, each with its place.
    type Fields<'d>;

    /// The fields of a mapping; finds unknown, repeated and missing ones. Missing ones are reported at `owner`.
    fn read<'d>(reader: &mut Reader, mapping: Mapping<'d>, owner: Span) -> Self::Fields<'d>;
}

/// Declares the fields of a section with the types and attributes of their JSON Schema. The type of a required field
/// is followed by the hint for a file that lacks it.
macro_rules! section {
    (
        $(#[$about:meta])*
        struct $section:ident { $($(#[$schema:meta])* $field:ident: $type:ty $(= $missing:expr)?,)+ }
    ) => {
        $(#[$about])*
        #[derive(schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        #[allow(dead_code, reason = "types for the schema: files are read as `Fields`")]
        pub(in crate::check) struct $section {
            $($(#[$schema])* $field: $type,)+
        }

        const _: () = {
            use $crate::check::{document::Mapping, reader::{Field, Reader}, section::Section};

            #[allow(dead_code, reason = "not every section is read by these names")]
            pub(in crate::check) struct Fields<'d> {
                $(pub(in $crate::check) $field: Option<Field<'d>>,)+
            }

            impl Section for $section {
                const NAMES: &'static [&'static str] = &[$(stringify!($field)),+];
                type Fields<'d> = Fields<'d>;

                fn read<'d>(reader: &mut Reader, mapping: Mapping<'d>, owner: $crate::model::Span) -> Fields<'d> {
                    let fields = reader.named_fields(mapping, owner, Self::NAMES);
                    $($(fields.required(stringify!($field), reader, $missing);)?)+
                    Fields { $($field: fields.get(stringify!($field)),)+ }
                }
            }
        };
    };
}

pub(super) use section;
