//! What one route of the API takes and answers.

use http::{Method, StatusCode};
use utoipa::ToSchema;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::{Ref, RefOr, Schema};

use crate::problem::Code;

/// A media type's usual name.
const JSON: &str = "application/json";

/// The chapters of the description.
#[derive(Clone, Copy)]
pub(super) enum Chapter {
    Accounts,
    SignIn,
    Sessions,
    Applications,
    Metadata,
}

impl Chapter {
    pub(super) const ALL: [Self; 5] =
        [Self::Accounts, Self::SignIn, Self::Sessions, Self::Applications, Self::Metadata];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Accounts => "Accounts",
            Self::SignIn => "Sign-in and tokens",
            Self::Sessions => "Sessions",
            Self::Applications => "Applications",
            Self::Metadata => "Metadata",
        }
    }
}

/// Whether a call needs its body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyRule {
    Required,
    Optional,
}

/// One successful answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) says: &'static str,
    pub(super) body: Option<(&'static str, RefOr<Schema>)>,
}

/// One route's description: what the route table does not say.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) chapter: Chapter,
    /// A name for generated clients; unique.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) says: &'static str,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<(BodyRule, RefOr<Schema>)>,
    pub(super) answers: Vec<Answer>,
    /// Errors beside those that follow from the route's decisions.
    pub(super) codes: Vec<Code>,
    /// Every named schema it refers to.
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
}

impl Call {
    pub(super) fn new(
        (method, path): (Method, &'static str),
        (chapter, id): (Chapter, &'static str),
        summary: &'static str,
        says: &'static str,
    ) -> Self {
        Self {
            method,
            path,
            chapter,
            id,
            summary,
            says,
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            codes: Vec::new(),
            schemas: Vec::new(),
        }
    }

    /// With a JSON body that must be there.
    pub(super) fn takes<T: ToSchema>(mut self) -> Self {
        self.body = Some((BodyRule::Required, self.refer::<T>()));
        self
    }

    /// With a JSON body that may be left out.
    pub(super) fn may_take<T: ToSchema>(mut self) -> Self {
        self.body = Some((BodyRule::Optional, self.refer::<T>()));
        self
    }

    pub(super) fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Answers with JSON.
    pub(super) fn answers<T: ToSchema>(self, status: StatusCode, says: &'static str) -> Self {
        self.answers_as::<T>(status, JSON, says)
    }

    /// Answers with a document of its own media type.
    pub(super) fn answers_as<T: ToSchema>(
        mut self,
        status: StatusCode,
        media_type: &'static str,
        says: &'static str,
    ) -> Self {
        let body = Some((media_type, self.refer::<T>()));
        self.answers.push(Answer { status, says, body });
        self
    }

    /// Answers with JSON of no fixed form.
    pub(super) fn answers_with(mut self, schema: RefOr<Schema>, says: &'static str) -> Self {
        self.answers.push(Answer { status: StatusCode::OK, says, body: Some((JSON, schema)) });
        self
    }

    /// Answers with a status alone.
    pub(super) fn answers_empty(mut self, status: StatusCode, says: &'static str) -> Self {
        self.answers.push(Answer { status, says, body: None });
        self
    }

    /// May also fail with these.
    pub(super) fn fails(mut self, codes: &[Code]) -> Self {
        self.codes.extend_from_slice(codes);
        self
    }

    fn refer<T: ToSchema>(&mut self) -> RefOr<Schema> {
        T::schemas(&mut self.schemas);
        self.schemas.push((T::name().into_owned(), T::schema()));
        RefOr::Ref(Ref::from_schema_name(T::name()))
    }
}
