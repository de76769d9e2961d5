"""The subset of SOQL that integrations use: parsed strictly, judged by the schema, run."""
