"""The systems that secrets come from, one a module. Each imports its client library when it is opened."""
