mod delegated;
mod tokens;
mod validator;
