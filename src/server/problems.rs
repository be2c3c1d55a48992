//! The pages that the types of problems link to.

use actix_web::{
    HttpRequest,
    http::{StatusCode, header},
};
use serde::Serialize;

use super::{
    extract::path_segment,
    kinds::{Kind, Row},
    problem::Problem,
    respond::{Answer, json_text},
};

/// A page as JSON.
#[derive(Serialize)]
struct Page {
    r#type: String,
    title: &'static str,
    status: u16,
    advice: &'static str,
}

/// `GET /problems/{slug}`: what a kind of problem is and what to do, for people as HTML, else as
/// JSON.
pub(super) async fn page(request: HttpRequest) -> Result<Answer, Problem> {
    let slug = path_segment(&request, "{slug}")?;
    let row = Kind::find(&slug)
        .ok_or_else(|| Problem::new(Kind::RouteNotFound, "there is no problem of this name"))?;
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/html")) {
        return Ok(Answer::text(StatusCode::OK, "text/html; charset=utf-8", html(row)));
    }
    let page = Page {
        r#type: format!("/problems/{slug}"),
        title: row.title,
        status: row.status().as_u16(),
        advice: row.advice,
    };
    Ok(Answer::json(StatusCode::OK, json_text(&page)))
}

/// The table's texts are the server's own and hold nothing to escape.
fn html(row: &Row) -> String {
    let Row { title, slug, advice, .. } = row;
    let status = row.status();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <h1>{title}</h1>\n<p><code>{slug}</code>, answered with {status}.</p>\n<p>{advice}</p>\n\
         </html>\n"
    )
}
