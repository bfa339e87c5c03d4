mod delegated;
mod validator;
