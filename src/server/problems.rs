//! The pages that the types of problems link to.

use actix_web::{
    HttpRequest,
    http::{StatusCode, header},
};
use serde::Serialize;

use super::{
    extract::{accepted, header_text, path_segment},
    html::{self, HTML, escape, frame, prose},
    kinds::{Kind, Row},
    problem::Problem,
    respond::{Answer, JSON, json_text},
};

/// A page as JSON.
#[derive(Serialize)]
struct Page {
    r#type: String,
    title: &'static str,
    status: u16,
    retryable: bool,
    advice: &'static str,
}

#[derive(Serialize)]
struct List {
    problems: Vec<Page>,
}

/// `GET /problems/{slug}`: what a kind of problem is and what to do, as JSON or for people.
pub(super) async fn page(request: HttpRequest) -> Result<Answer, Problem> {
    let slug = path_segment(&request, "{slug}")?;
    let row = Kind::find(&slug)
        .ok_or_else(|| Problem::new(Kind::RouteNotFound, "there is no problem of this name"))?;
    match wants_html(&request)? {
        true => {
            let body = format!(
                "<main>\n<p><a href=\"/problems\">Problems</a></p>\n{}</main>\n",
                told(row, "h1")
            );
            Ok(html::answer(frame(row.title, &body)))
        }
        false => Ok(Answer::json(StatusCode::OK, json_text(&Page::of(row)))),
    }
}

/// `GET /problems`: all of them.
pub(super) async fn list(request: HttpRequest) -> Result<Answer, Problem> {
    match wants_html(&request)? {
        true => {
            let rows: String = Kind::rows().iter().map(|row| told(row, "h2")).collect();
            let body = format!(
                "<main>\n<p><a href=\"/docs\">The interface</a></p>\n<h1>Problems</h1>\n\
                 <p>Every type that a refusal may have, and what to do.</p>\n{rows}</main>\n"
            );
            Ok(html::answer(frame("Problems", &body)))
        }
        false => {
            let problems = Kind::rows().iter().map(Page::of).collect();
            Ok(Answer::json(StatusCode::OK, json_text(&List { problems })))
        }
    }
}

impl Page {
    fn of(row: &Row) -> Page {
        Page {
            r#type: format!("/problems/{}", row.slug),
            title: row.title,
            status: row.status().as_u16(),
            retryable: row.is_retryable(),
            advice: row.advice,
        }
    }
}

fn wants_html(request: &HttpRequest) -> Result<bool, Problem> {
    let accept = header_text(request, &header::ACCEPT)?;
    Ok(accepted(&accept, &[JSON, HTML]) == Some(HTML))
}

fn told(row: &Row, heading: &str) -> String {
    let Row { title, slug, advice, .. } = row;
    format!(
        "<{heading} id=\"{slug}\">{}</{heading}>\n<p><code>{slug}</code>, answered with {}{}.</p>\n\
         <p>{}</p>\n",
        escape(title),
        row.status(),
        if row.is_retryable() { "; the same request may succeed later" } else { "" },
        prose(advice)
    )
}
