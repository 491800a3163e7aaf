"""Vertex AI: batch prediction jobs, generateContent, countTokens."""
