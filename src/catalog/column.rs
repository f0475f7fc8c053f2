//! How our types lie in columns, and how SQLite's errors become ours.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, Row};

use crate::base::error::{Error, Kind};
use crate::base::hash::Digest;
use crate::base::id::{
    BoxId, CameraId, DisclosureId, GenerationId, HoldId, JobId, PersonId, RunId, SegmentId,
    StreamKind, VolumeId,
};
use crate::base::time::{Ticks, Wall};
use crate::config::Origin;

macro_rules! blob_id {
    ($($name:ident)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.bytes())))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                <[u8; 16]>::column_result(value).map(Self::from_bytes)
            }
        }
    )*};
}

blob_id!(BoxId GenerationId PersonId RunId SegmentId VolumeId);

impl ToSql for Digest {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for Digest {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 32]>::column_result(value).map(Self)
    }
}

macro_rules! integer {
    ($($name:ident)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.0.into())
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_i64().map(Self)
            }
        }
    )*};
}

integer!(Wall Ticks JobId);

macro_rules! number {
    ($($name:ident)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.0.into())
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                u32::column_result(value).map(Self)
            }
        }
    )*};
}

number!(HoldId DisclosureId);

macro_rules! name {
    ($($name:ident)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_str()?.parse().map_err(FromSqlError::other)
            }
        }
    )*};
}

name!(CameraId Origin StreamKind);

/// A count as SQLite keeps it; above 2^63 it stays there.
pub(super) fn int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A row's columns from left to right.
pub(super) struct Columns<'a> {
    row: &'a Row<'a>,
    next: usize,
}

impl<'a> Columns<'a> {
    pub(super) fn of(row: &'a Row<'a>) -> Self {
        Self { row, next: 0 }
    }

    pub(super) fn get<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let column = self.next;
        self.next += 1;
        self.row.get(column)
    }

    /// The bytes of a blob or a text, whether it is one or not; none for null.
    pub(super) fn bytes(&mut self) -> rusqlite::Result<Option<Vec<u8>>> {
        let column = self.next;
        self.next += 1;
        let value = self.row.get_ref(column)?;
        Ok(value.as_bytes_or_null()?.map(<[u8]>::to_vec))
    }

    /// A column that is never negative.
    pub(super) fn count(&mut self) -> rusqlite::Result<u64> {
        let column = self.next;
        let number: i64 = self.get()?;
        u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(e: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        let kind = match &e {
            E::SqliteFailure(failure, _) | E::SqlInputError { error: failure, .. } => {
                kind_of(*failure)
            }
            E::QueryReturnedNoRows => Kind::NotFound,
            E::FromSqlConversionFailure(..)
            | E::IntegralValueOutOfRange(..)
            | E::InvalidColumnType(..)
            | E::Utf8Error(..) => Kind::Corrupt,
            E::ToSqlConversionFailure(_) | E::InvalidPath(_) | E::NulError(_) => Kind::Invalid,
            _ => Kind::Internal,
        };
        Self::new(kind, e.to_string())
    }
}

fn kind_of(failure: rusqlite::ffi::Error) -> Kind {
    use rusqlite::ffi::{
        SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE,
    };
    match failure.code {
        ErrorCode::ConstraintViolation => match failure.extended_code {
            SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY => Kind::Exists,
            SQLITE_CONSTRAINT_FOREIGNKEY => Kind::NotFound,
            _ => Kind::Invalid,
        },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Kind::Busy,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Kind::Corrupt,
        ErrorCode::DiskFull => Kind::Full,
        ErrorCode::PermissionDenied | ErrorCode::ReadOnly => Kind::Denied,
        ErrorCode::TooBig => Kind::Invalid,
        ErrorCode::CannotOpen
        | ErrorCode::SystemIoFailure
        | ErrorCode::FileLockingProtocolFailed => Kind::Io,
        _ => Kind::Internal,
    }
}
