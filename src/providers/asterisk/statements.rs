//! Reading and writing single rows of `extensions`.

use tokio_postgres::types::Type;

use super::action::Action;
use super::database::Trouble;
use super::read::Parameter;
use super::rows::DialplanRow;
use super::transaction::{Failed, Transaction};

impl Transaction<'_> {
    /// The rows of an extension.
    pub(super) async fn extension(&self, context: &str, exten: &str) -> Result<Vec<DialplanRow>, Trouble> {
        self.rows("context = $1 and exten = $2", &[(&context, Type::TEXT), (&exten, Type::TEXT)]).await
    }

    /// Writes a row: in the place of the one that was read, if there was one.
    pub(super) async fn put(
        &self,
        read: &[DialplanRow],
        context: &str,
        exten: &str,
        priority: i32,
        action: &Action,
    ) -> Result<(), Failed> {
        let is_place =
            |row: &&DialplanRow| *row.context == *context && *row.exten == *exten && row.priority == priority;
        if read.iter().find(is_place).is_none() {
            return self.add(context, exten, priority, action).await;
        }
        let (app, data) = action.columns();
        let sql = "update extensions set app = $4, appdata = $5 where context = $1 and exten = $2 and priority = $3";
        self.write_row(sql, context, exten, priority, (app, &data)).await
    }

    /// Writes a row in a place that has none.
    pub(super) async fn add(&self, context: &str, exten: &str, priority: i32, action: &Action) -> Result<(), Failed> {
        let (app, data) = action.columns();
        let sql = "insert into extensions (context, exten, priority, app, appdata) values ($1, $2, $3, $4, $5)";
        self.write_row(sql, context, exten, priority, (app, &data)).await
    }

    async fn write_row(
        &self,
        sql: &str,
        context: &str,
        exten: &str,
        priority: i32,
        (app, data): (&str, &str),
    ) -> Result<(), Failed> {
        let parameters: [Parameter<'_>; 5] = [
            (&context, Type::TEXT),
            (&exten, Type::TEXT),
            (&priority, Type::INT4),
            (&app, Type::TEXT),
            (&data, Type::TEXT),
        ];
        Ok(self.ask(sql, &parameters).await.map(drop)?)
    }

    pub(super) async fn remove(&self, context: &str, exten: &str, priority: i32) -> Result<(), Failed> {
        let sql = "delete from extensions where context = $1 and exten = $2 and priority = $3";
        let parameters: [Parameter<'_>; 3] = [(&context, Type::TEXT), (&exten, Type::TEXT), (&priority, Type::INT4)];
        Ok(self.ask(sql, &parameters).await.map(drop)?)
    }
}
